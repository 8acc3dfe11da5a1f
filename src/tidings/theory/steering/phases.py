"""Where in the belief a planner does what: the phases of an optimal policy and their thresholds."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from tidings.theory.steering.arguments import check_count
from tidings.theory.steering.solution import PlannerSolution

PHASES = {
    "baseline_ignored": "q = p, the agent ignores the signal",
    "baseline_followed": "q = p, the agent follows the signal",
    "least_followed": "q = max(b, 1-b) = p",
    "least_followed_above_p": "q = max(b, 1-b) > p",
    "least_followed_below_p": "q = max(b, 1-b) < p",
    "interior_above_p": "p < q < 1, q above max(b, 1-b)",
    "interior_below_p": "max(b, 1-b) < q < p",
    "full": "q = 1",
    "just_ignored": "q tends to max(b, 1-b) from below, not attained; the agent ignores the signal",
}
"""Name and meaning of each phase."""

_SAME = 1e-8
_BISECTIONS = 40


@dataclass(frozen=True)
class Phase:
    """An interval of beliefs with one kind of optimal choice.

    Attributes:
        start: lower end.
        stop: upper end.
        label: a key of `PHASES`.
    """

    start: float
    stop: float
    label: str


@dataclass(frozen=True)
class Thresholds:
    """Ends of the outer phases.

    Attributes:
        lower: d_A (altruistic) or t_1 (biased): up to here q = p and the agent ignores it.
        upper: t_A (altruistic): from here to 1/2 q = 1; or t_2 (biased): from here to p only a supremum.

    Undefined:
        NaN where the policy has no such phase; phases need not be intervals, so there may be more of them between.
    """

    lower: float
    upper: float


def phase_label(solution: PlannerSolution, b: float) -> str:
    """Return which of `PHASES` holds at belief b; where several precisions are optimal the choice is arbitrary.

    Raises:
        ValueError: b outside [0, 1].
    """
    decision, p, least = solution.decision(b), solution.problem.p, max(b, 1.0 - b)
    if decision.action == "cascade":
        return "baseline_ignored" if decision.is_attained else "just_ignored"
    q = decision.limit
    if abs(q - 1.0) < _SAME:
        return "full"
    side = "" if abs(q - p) < _SAME else "_above_p" if q > p else "_below_p"
    if abs(q - least) < _SAME:
        return "least_followed" + side
    return "interior" + side if side else "baseline_followed"


def find_phases(solution: PlannerSolution, n_beliefs: int = 1001) -> tuple[Phase, ...]:
    """Return the phases of the optimal policy from belief 0 to 1, ends found by bisection.

    Phases narrower than the spacing of the n_beliefs equidistant beliefs tried may be missed.

    Raises:
        ValueError: n_beliefs not an integer >= 2.
    """
    beliefs = np.linspace(0.0, 1.0, check_count("find_phases", "n_beliefs", n_beliefs, 2)).tolist()
    phases, start, label = [], 0.0, phase_label(solution, 0.0)
    for low, high in itertools.pairwise(beliefs):
        following = phase_label(solution, high)
        if following != label:
            stop = _last_with(solution, label, low, high)
            phases.append(Phase(start, stop, label))
            start, label = stop, following
    return (*phases, Phase(start, 1.0, label))


def find_thresholds(solution: PlannerSolution, n_beliefs: int = 1001) -> Thresholds:
    """Return the thresholds d_A and t_A (altruistic) or t_1 and t_2 (biased) of the optimal policy.

    Raises:
        ValueError: n_beliefs not an integer >= 2.
    """
    phases = find_phases(solution, n_beliefs)
    lower = phases[0].stop if phases[0].label == "baseline_ignored" else math.nan
    if solution.problem.is_biased:
        upper = [phase.start for phase in phases if phase.label == "just_ignored"]
        return Thresholds(lower, upper[-1] if upper else math.nan)
    upper = [phase.start for phase in phases if phase.label == "full" and phase.start < 0.5 <= phase.stop]
    return Thresholds(lower, upper[0] if upper else math.nan)


def _last_with(solution: PlannerSolution, label: str, low: float, high: float) -> float:
    """Return the end of the phase that holds at low and not at high."""
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if phase_label(solution, middle) == label:
            low = middle
        else:
            high = middle
    return low
