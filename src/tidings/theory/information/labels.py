"""Permissive labels: the smallest sets of access rights that explain an output.

Source: Siddiqui et al., arXiv 2410.03055.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["minimal_labels"]

_SLACK = 1e-12


def minimal_labels(
    doc_labels: Sequence[Iterable[str]], util: Mapping[tuple[int, ...], float], lam: float
) -> list[list[str]]:
    """Returns the labels from which no single atom can be taken without losing more than `lam`.

    Each input carries a set of atoms; under a label L those inputs are visible whose atoms all lie in L. L passes if
    util(all) - util(visible(L)) <= lam. The search starts at the union of all atoms and, from each label that passes,
    goes on to every label with one atom fewer that passes; where none does, the label is a result. If util is not
    monotone, one result may contain another. A label is sound only for an output made from its visible inputs.

    Args:
        doc_labels: Atoms of each input.
        util: Utility of each sorted tuple of visible input indices, for instance the log-likelihood of the output.
        lam: Tolerance, from 0 up.

    Returns:
        Sorted list of sorted lists of atoms.

    Raises:
        ValueError: A negative tolerance, a visible set without utility or with NaN, or an infinite utility of all
            inputs.
    """
    labels = [frozenset(label) for label in doc_labels]
    full = _utility(util, tuple(range(len(labels))))
    if not lam >= 0.0:
        raise ValueError(f"lam: {lam!r}; allowed are tolerances from 0 up")
    if not math.isfinite(full):
        raise ValueError(f"util: {full!r} for all inputs; allowed are finite numbers, an output must be possible")

    def passes(label: frozenset[str]) -> bool:
        visible = tuple(index for index, atoms in enumerate(labels) if atoms <= label)
        return full - _utility(util, visible) <= lam + _SLACK

    start = frozenset[str]().union(*labels)
    frontier, seen, minimal = [start], {start}, list[list[str]]()
    while frontier:
        label = frontier.pop()
        smaller = [label - {atom} for atom in label if passes(label - {atom})]
        if not smaller:
            minimal.append(sorted(label))
        fresh = set(smaller) - seen
        seen |= fresh
        frontier.extend(fresh)
    return sorted(minimal)


def _utility(util: Mapping[tuple[int, ...], float], visible: tuple[int, ...]) -> float:
    if visible not in util:
        raise ValueError(
            f"util: no utility of the visible inputs {visible!r}; allowed is one per visible set; score it"
        )
    if math.isnan(util[visible]):
        raise ValueError(f"util: NaN for the visible inputs {visible!r}; allowed are numbers and -inf; score it again")
    return util[visible]
