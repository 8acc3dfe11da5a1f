"""What the planners that follow a policy share: the public belief, and when the exact theory applies."""

from __future__ import annotations

from tidings.core import Observation, ReplyError, ScenarioError, SeatContext
from tidings.theory.herd_events import HerdBelief, follow_herd

__all__ = ["herd_of", "require_allowed", "require_classic_model"]


def herd_of(observation: Observation) -> HerdBelief:
    """Returns the public belief from what the planner saw, in amortised constant time.

    Raises:
        ReplyError: `not_applicable` outside social learning.
    """
    herd = observation.fold_public(follow_herd, HerdBelief())
    if herd.setup is None:
        raise ReplyError("not_applicable", "this planner needs the events of social_learning")
    return herd


def require_allowed(context: SeatContext, precisions: tuple[float, ...]) -> None:
    """Checks that fixed precisions are allowed for the objective.

    Raises:
        ScenarioError: If an altruistic planner would go below the free precision.
    """
    free = context.settings.get("precision", 0.7)
    free = max(free.values()) if isinstance(free, dict) else free
    if context.planner.get("objective") != "biased" and min(precisions) < free:
        allowed = f"an altruistic planner may not go below the free {free:g}"
        raise ScenarioError("planner.precision", f"found {min(precisions):g}", allowed, "raise it, or plan `biased`")


def require_classic_model(context: SeatContext, kind: str) -> float:
    """Returns the free precision if the exact solution applies to this scenario.

    Raises:
        ScenarioError: If it does not: the solution holds for a common public belief (complete graph), one free
            precision for all, own-signal ties and equal losses.
    """
    settings = context.settings
    if len(settings.get("states", ())) > 2:
        words = f"found {len(settings['states'])} states; planner {kind!r} has no exact solution for more than two"
        fix = "planner kind `lookahead` plans by simulation instead"
        raise ScenarioError("environment.states", words, "needs: two states", fix)
    problems = [
        (context.graph is not None and not context.graph.is_complete, "graph", "a graph that is not complete"),
        (settings.get("ties", "own_signal") != "own_signal", "environment.ties", f"ties {settings.get('ties')!r}"),
        (isinstance(settings.get("precision"), dict), "environment.precision", "a precision for each seat"),
        (
            settings.get("loss_false_good", 1) != settings.get("loss_false_bad", 1),
            "environment.loss_false_good",
            "unequal losses",
        ),
    ]
    for is_outside, where, found in problems:
        if is_outside:
            allowed = "complete graph, own_signal ties, one precision, equal losses"
            fix = "planner kind `lookahead` plans by simulation instead"
            words = f"found {found}; planner {kind!r} has no exact solution for it"
            raise ScenarioError(where, words, f"needs: {allowed}", fix)
    return float(settings.get("precision", 0.7))
