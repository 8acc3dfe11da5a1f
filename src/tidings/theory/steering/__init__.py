"""Controlled social learning: a planner sets the precision of agents' private signals while they learn from actions.

Infinite-horizon (`solve_planner`) and finite-horizon (`solve_planner_finite`) optimal planners, closed forms, and the
model of belief and action that environments, agents and metrics share. Source: arXiv 2504.02648 ("Steering the Herd").
"""

from tidings.theory.steering.cascades import (
    CascadeProbabilities,
    cascade_probabilities,
    mean_revealing_agents,
    p_correct_agent,
)
from tidings.theory.steering.closed_forms import (
    ClosedFormChoice,
    ConvexityCounterexample,
    NoControlLoss,
    cheap_altruistic,
    convexity_counterexample,
    is_precision_cheap,
    myopic_altruistic,
    myopic_altruistic_threshold,
    myopic_biased_linear,
    no_control_loss,
)
from tidings.theory.steering.costs import COST_KINDS, PrecisionCost, load_shape, make_cost
from tidings.theory.steering.finite import FinitePlannerSolution, solve_planner_finite
from tidings.theory.steering.lines import CommonLine, Line, NetworkLine, NetworkSituation
from tidings.theory.steering.lookahead import RULES, Aim, Forecast, Plan, forecast, plan_precision
from tidings.theory.steering.model import (
    TIE_TOLERANCE,
    Signal,
    action_probability,
    agent_action,
    are_followed,
    belief_from_log_odds,
    branches,
    error_probability,
    is_followed,
    is_off_path,
    log_odds,
    next_belief,
    posterior,
    signal_probability,
    snap_to_half,
)
from tidings.theory.steering.phases import PHASES, Phase, Thresholds, find_phases, find_thresholds, phase_label
from tidings.theory.steering.problem import OBJECTIVES, PlannerProblem, make_problem
from tidings.theory.steering.solution import NUDGE, Decision, PlannerSolution
from tidings.theory.steering.solver import solve_planner

__all__ = [
    "COST_KINDS",
    "NUDGE",
    "OBJECTIVES",
    "PHASES",
    "RULES",
    "TIE_TOLERANCE",
    "Aim",
    "CascadeProbabilities",
    "ClosedFormChoice",
    "CommonLine",
    "ConvexityCounterexample",
    "Decision",
    "FinitePlannerSolution",
    "Forecast",
    "Line",
    "NetworkLine",
    "NetworkSituation",
    "NoControlLoss",
    "Phase",
    "Plan",
    "PlannerProblem",
    "PlannerSolution",
    "PrecisionCost",
    "Signal",
    "Thresholds",
    "action_probability",
    "agent_action",
    "are_followed",
    "belief_from_log_odds",
    "branches",
    "cascade_probabilities",
    "cheap_altruistic",
    "convexity_counterexample",
    "error_probability",
    "find_phases",
    "find_thresholds",
    "forecast",
    "is_followed",
    "is_off_path",
    "is_precision_cheap",
    "load_shape",
    "log_odds",
    "make_cost",
    "make_problem",
    "mean_revealing_agents",
    "myopic_altruistic",
    "myopic_altruistic_threshold",
    "myopic_biased_linear",
    "next_belief",
    "no_control_loss",
    "p_correct_agent",
    "phase_label",
    "plan_precision",
    "posterior",
    "signal_probability",
    "snap_to_half",
    "solve_planner",
    "solve_planner_finite",
]
