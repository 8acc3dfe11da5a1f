"""From a signal to words: true statements, chosen so that together they point the way the signal does.

Every statement on the sheet is true whatever the state is: some speak for one state, some for the other. A message
holds a majority of statements for the state the signal names, so it points to the truth exactly as often as the signal
is right, and nothing false is ever said.

Source: the oracle of arXiv 2504.02648, whose wording is not public; the majority rule is ours.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from tidings.core import SeedPath
from tidings.spec.base import Params

__all__ = ["FactSheet"]


class FactSheet(Params):
    """True statements about the thing that is decided on."""

    statements: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]]
    """State -> true statements that speak for it."""
    n_for: Annotated[int, Field(ge=1)] = 2
    """Statements of a message that speak for the state the signal names."""
    n_against: Annotated[int, Field(ge=0)] = 1
    """Statements that speak for the other state; fewer than `n_for`."""

    @model_validator(mode="after")
    def _check_majority(self) -> FactSheet:
        if self.n_against >= self.n_for:
            raise ValueError(f"n_against: found {self.n_against}; must be below n_for ({self.n_for})")
        for state, texts in self.statements.items():
            if len(texts) < self.n_for:
                raise ValueError(f"statements.{state}: found {len(texts)}; need at least n_for ({self.n_for})")
        return self

    def points_to(self, text: str) -> str | None:
        """Returns the state for which most statements in a message speak, read from its words; None at a tie.

        This is how the realised precision of messages is measured: from what was said, not from what was meant.
        """
        counts = {state: sum(line in text for line in lines) for state, lines in self.statements.items()}
        most = max(counts.values())
        leaders = [state for state, count in counts.items() if count == most]
        return leaders[0] if len(leaders) == 1 and most > 0 else None

    def message(self, value: str, states: tuple[str, str], seed: SeedPath) -> str:
        """Returns a message that points to `value`.

        Args:
            value: The state that the signal names.
            states: Both states.
            seed: Seed path of this message; which statements, and their order, depend on nothing else.
        """
        other = states[1] if value == states[0] else states[0]
        rng = seed.generator()
        chosen = rng.sample(self.statements[value], self.n_for) + rng.sample(self.statements[other], self.n_against)
        rng.shuffle(chosen)
        return " ".join(chosen)
