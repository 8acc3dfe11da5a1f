"""Names nobody has met before: three random syllables, so that no model has a prior on them."""

from __future__ import annotations

from tidings.benchmarks.streams import Draws
from tidings.core.errors import RequestError

__all__ = ["draw_names"]

_FIRST = (
    "ba", "bo", "du", "fe", "ga", "hi", "jo", "ka", "ki", "la", "lo", "ma", "mi", "na", "no", "pa", "ra", "ri", "so",
    "ta", "to", "va", "wi", "ya", "zo",
)  # fmt: skip
_MIDDLE = (
    "bi", "da", "de", "ga", "ku", "la", "le", "li", "mo", "na", "ni", "po", "ra", "re", "ro", "sa", "se", "ti",
    "va", "vo",
)  # fmt: skip
_LAST = (
    "bel", "da", "dor", "fin", "ga", "han", "ka", "kim", "lan", "len", "lo", "mar", "na", "nor", "ras",
    "rin", "sa", "sun", "ta", "vek",
)  # fmt: skip

_N_SAFE = 5000
"""Half of the 10,000 combinations of syllables, so that a free one is found soon."""


def draw_names(draws: Draws, n: int, taken: frozenset[str] = frozenset()) -> list[str]:
    """Returns `n` different names, none of them in `taken`.

    Raises:
        RequestError: More names are asked for than can be found quickly.
    """
    if n + len(taken) > _N_SAFE:
        raise RequestError("names", f"{n + len(taken)} people", f"at most {_N_SAFE}", "make a smaller set")
    names: dict[str, None] = {}
    while len(names) < n:
        name = (draws.pick(_FIRST) + draws.pick(_MIDDLE) + draws.pick(_LAST)).capitalize()
        if name not in taken:
            names[name] = None
    return list(names)
