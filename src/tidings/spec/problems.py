"""Several things wrong at once, as one error: one line each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidings.core import ScenarioError

__all__ = ["InvalidScenarioError", "dotted", "join_names", "raise_problems", "show"]

_MAX_LINES = 20
_MAX_SHOWN = 80
_MAX_NAMES = 24


class InvalidScenarioError(ScenarioError):
    """Everything that is wrong with a scenario, a line for each problem.

    Attributes:
        problems: The single errors, in the order of the file. `where`, `found`, `allowed` and `fix` are those of the
            first one.
    """

    def __init__(self, problems: Iterable[ScenarioError]) -> None:
        """Keeps all problems; the text lists the first twenty and counts the rest."""
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.where, first.found, first.allowed, first.fix)
        lines = [str(problem) for problem in self.problems[:_MAX_LINES]]
        if len(self.problems) > _MAX_LINES:
            lines.append(f"... and {len(self.problems) - _MAX_LINES} more problems")
        self.args = ("\n".join(lines),)

    def __reduce__(self) -> tuple[type, tuple[tuple[ScenarioError, ...]]]:  # type: ignore[override]
        return type(self), (self.problems,)


def raise_problems(problems: Sequence[ScenarioError]) -> None:
    """Raises all problems as one error; returns if there are none.

    Raises:
        InvalidScenarioError: If there is a problem.
    """
    if problems:
        raise InvalidScenarioError(problems)


def dotted(path: Iterable[str | int]) -> str:
    """Returns a path as text, `agents.0.kind`; a part that does not print on one line is shown as a literal."""
    return ".".join(_part(str(part)) for part in path)


def show(value: object) -> str:
    """Returns a value as the user may have written it, on one short line: `true` for True, quotes around text."""
    if value is None or isinstance(value, bool):
        return {None: "nothing (null)", True: "true", False: "false"}[value]
    text = f"{value}" if isinstance(value, int | float) else repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."


def join_names(names: Iterable[object]) -> str:
    """Returns names as `a, b, c`; after two dozen the rest is counted."""
    listed = [str(name) for name in names]
    rest = len(listed) - _MAX_NAMES
    return ", ".join(listed[:_MAX_NAMES]) + (f", ... ({rest} more)" if rest > 0 else "")


def _part(text: str) -> str:
    if not text or not text.isprintable():
        text = repr(text)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
