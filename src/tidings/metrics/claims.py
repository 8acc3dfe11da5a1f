"""What messages claim about declared facts, and which detector says so.

| detector | reads | blind to |
|---|---|---|
| `structured` | the side field `claims` that the sender itself filled in | what its text says beyond it |
| `canonical` | the text: phrases and values of declared facts, see `canonical` | paraphrases, pronouns, irony |
| `judge:MODEL` | rows that a model wrote beside the run (`claims`) | whatever the model misreads |

For one fact the side field counts first, then the text, then a judge; a judge that was measured to be more precise than
the search for words counts before it (`detectors.trusts_judge`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tidings.core.events import Event
from tidings.metrics.facts import DENIED, DeclaredFact, canonical

__all__ = ["Claim", "one_per_fact", "structured_claims"]


class Claim(NamedTuple):
    """One statement about one fact.

    Attributes:
        fact: Id of the fact.
        value: What is stated of it, canonical JSON text.
        polarity: 1 states the value, -1 denies it.
        hedged: Whether the sender says that it is not sure.
        detector: Who found it.
        confidence: Share of such finds that are right, as measured on the labelled messages; 1.0 for the side field.
            Of a judge: the probability that it gave its answer, NaN if it states none.
    """

    fact: str
    value: str
    polarity: int
    hedged: bool
    detector: str
    confidence: float

    @property
    def stated(self) -> str:
        """The statement as one text: the value, or `not:` and the value."""
        return self.value if self.polarity == 1 else DENIED + self.value


def structured_claims(event: Event, facts: Mapping[str, DeclaredFact]) -> tuple[list[Claim], int]:
    """Returns the claims of a message's side field, and how many of its entries name no declared fact.

    An entry without a value states (or denies) the fact as it is.
    """
    claims: list[Claim] = []
    n_unknown = 0
    for entry in event.data.get("claims") or ():
        stated: dict[str, Any] = entry if isinstance(entry, dict) else {}
        fact = facts.get(stated.get("fact", ""))
        if fact is None:
            n_unknown += 1
            continue
        said = stated.get("value")
        value = fact.value if said is None else canonical(said)
        polarity = -1 if stated.get("polarity") == -1 else 1
        claims.append(Claim(fact.fact, value, polarity, bool(stated.get("hedged")), "structured", 1.0))
    return claims, n_unknown


def one_per_fact(claims: Iterable[Claim]) -> list[Claim]:
    """Returns one claim for each fact: of the first detector that has any, the first that states, else that denies."""
    chosen: dict[str, Claim] = {}
    for claim in claims:
        held = chosen.get(claim.fact)
        is_better = held is not None and held.detector == claim.detector and held.polarity == -1 < claim.polarity
        if held is None or is_better:
            chosen[claim.fact] = claim
    return list(chosen.values())
