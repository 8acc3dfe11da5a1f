"""The graded functions once more: rows worked out on paper, with dyadic laws so that every value is a short formula.

An independent look at the rules of the sheet: edges (zeros, ties, one node, loops, several owners, nobody listening)
and how each function says that it has no value. Nothing expected here is computed by the code under test.
"""

import math
from math import log, log2
from typing import Any

import pytest

from tidings.theory import information as it

H_QUARTER = 2.0 - 0.75 * log2(3.0)
"""Entropy of (1/4, 3/4)."""
NAN, INF = math.nan, math.inf
COPY = [[[[0.5 * (y1 == x) for y1 in (0, 1)] for _ in (0, 1)] for _ in (0, 1)] for x in (0, 1)]
"""X is a fair coin each time and Y says what X was the time before."""
STUCK = [[[[float((x1, y1) == (x, y)) for y1 in (0, 1)] for x1 in (0, 1)] for y in (0, 1)] for x in (0, 1)]
XOR = [[[0.25, 0.0], [0.0, 0.25]], [[0.0, 0.25], [0.25, 0.0]]]
FIRST = [[[0.25, 0.0], [0.25, 0.0]], [[0.0, 0.25], [0.0, 0.25]]]
BOTH = [[[0.5, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.5]]]
SERIES = {"x": [0, 1, 1, 0, 1], "y": [0, 0, 1, 1, 0]}
GLOVES = {(): 0, (0,): 0, (1,): 0, (2,): 0, (0, 1): 1, (0, 2): 1, (1, 2): 0, (0, 1, 2): 1}
UTIL = {(0, 1, 2): 0.0, (0,): -1.0, (1,): -2.0, (): -3.0}
LABELS = [frozenset("a"), frozenset("b"), frozenset("ab")]
TREE = {"r": None, "a": "r", "b": "r", "c": "a"}
LOOP = {"r": None, "a": "b", "b": "a"}
TRUST = [[0.5, 0.5], [0.25, 0.75]]
SWAP = [[0.0, 1.0], [1.0, 0.0]]
SCORES = [[log(0.5), log(0.25)], [log(0.125), log(0.5)]]
FAINT = [[score - 5000.0 for score in row] for row in SCORES]
STEPS = [[log(0.5), log(0.25)], [log(0.5), 0.0]]
SECRET = {"prior": [0.5, 0.25, 0.25], "chan": [[1, 0], [0, 1], [0, 1]]}
IMPOSSIBLE = {"prior": [1.0, 0.0], "chan": [[1, 0], [0, 1]]}
SKEW = [[0.5, 0.25], [0.0, 0.25]]
"""Joint law with marginals (3/4, 1/4) and (1/2, 1/2)."""


def call(function: Any, *args: Any, **more: Any) -> Any:
    return lambda: function(*args, **more)


ROWS = {
    "joint, one cell": (call(it.mutual_information, [[1.0]]), 0.0),
    "joint, an empty row": (call(it.mutual_information, [[0.5, 0.0], [0.0, 0.5], [0.0, 0.0]]), 1.0),
    "joint, skew": (call(it.mutual_information, SKEW), 1.5 - 0.75 * log2(3)),
    "channel": (call(it.channel_mutual_information, [[1, 0], [0, 1], [0, 1]]), log2(3) - 2 / 3),
    "gauss": (call(it.gaussian_mutual_information, math.sqrt(0.75)), 1.0),
    "gauss, none": (call(it.gaussian_mutual_information, 0.0), 0.0),
    "gauss, same": (call(it.gaussian_mutual_information, -1.0), INF),
    "gauss cmi, units": (
        call(it.gaussian_conditional_mutual_information, [[2, 1], [1, 2]], [0], [1], []),
        -0.5 * log2(0.75),
    ),
    "gauss cmi, pair": (
        call(it.gaussian_conditional_mutual_information, [[1, 0, 0.5], [0, 1, 0.5], [0.5, 0.5, 1]], [0, 1], [2], []),
        0.5,
    ),
    "gauss cmi, go-between": (
        call(
            it.gaussian_conditional_mutual_information, [[1, 0.25, 0.5], [0.25, 1, 0.5], [0.5, 0.5, 1]], [0], [1], [2]
        ),
        0.0,
    ),
    "plug-in": (call(it.mutual_information_plugin, [5, 5, -1, -1], [0, 1, 1, 1]), 1.5 - 0.75 * log2(3)),
    "plug-in, none": (call(it.mutual_information_plugin, [], []), NAN),
    "miller-madow": (call(it.mutual_information_miller_madow, [0, 0, 1, 1], [7, 7, 3, 3]), 1 + 1 / (8 * log(2))),
    "te": (call(it.transfer_entropy_plugin, **SERIES), 1.0),
    "te, long own past": (call(it.transfer_entropy_plugin, **SERIES, k=2), 0.0),
    "te, long other past": (call(it.transfer_entropy_plugin, **SERIES, l=2), 2 / 3),
    "te, too short": (call(it.transfer_entropy_plugin, [0], [1]), NAN),
    "te miller-madow": (call(it.transfer_entropy_miller_madow, **SERIES), 1 + 1 / (4 * log(2))),
    "te miller-madow, all windows differ": (call(it.transfer_entropy_miller_madow, **SERIES, k=2), 0.0),
    "te exact": (call(it.transfer_entropy_exact, COPY, "x", 1, 1), 1.0),
    "te exact, back": (call(it.transfer_entropy_exact, COPY, "y", 2, 2), 0.0),
    "te exact, two laws": (call(it.transfer_entropy_exact, STUCK, "x", 1, 1), NAN),
    "tdmi": (call(it.time_delayed_mutual_information_exact, COPY, "x", 1), 1.0),
    "tdmi, too late": (call(it.time_delayed_mutual_information_exact, COPY, "x", 2), 0.0),
    "di": (call(it.directed_information, COPY, 3), 2.0),
    "di, one moment": (call(it.directed_information, COPY, 1), 0.0),
    "di, back": (call(it.directed_information, COPY, 3, "y"), 0.0),
    "var1": (call(it.transfer_entropy_var1, 0.0, 0.5, 1.0, 1, 1), 0.5),
    "var1, uncoupled": (call(it.transfer_entropy_var1, 0.9, 0.5, 0.0, 2, 2), 0.0),
    "var1, explodes": (call(it.transfer_entropy_var1, 1.0, 0.5, 1.0, 1, 1), NAN),
    **{f"xor {m}": (call(it.pid_atom, XOR, m, "S"), 1.0) for m in ("imin", "mmi", "broja")},
    **{f"first {m}": (call(it.pid_atom, FIRST, m, "U1"), 1.0) for m in ("imin", "mmi", "broja")},
    **{f"first {m}, other": (call(it.pid_atom, FIRST, m, "U2"), 0.0) for m in ("imin", "mmi", "broja")},
    **{f"both {m}": (call(it.pid_atom, BOTH, m, "R"), 1.0) for m in ("imin", "mmi", "broja")},
    "logprob": (call(it.mutual_information_from_logprobs, SCORES, [0, 1]), 0.5 * log2(32 / 15)),
    "logprob, long texts": (call(it.mutual_information_from_logprobs, FAINT, [0, 1]), 0.5 * log2(32 / 15)),
    "logprob, left out": (call(it.mutual_information_from_logprobs, FAINT, [0, 1], include_self=False), 1.5),
    "logprob, one context": (call(it.mutual_information_from_logprobs, [[-3.0]], [0]), 0.0),
    "logprob, one context left out": (call(it.mutual_information_from_logprobs, [[-3.0]], [0], False), NAN),
    "logprob, impossible": (call(it.mutual_information_from_logprobs, [[-INF, -1.0]], [0]), -INF),
    "logprob, none": (call(it.mutual_information_from_logprobs, [], []), NAN),
    "increments": (
        lambda: it.information_density_increments(STEPS, 0, [0.25, 0.75])["increments"],
        [log2(1.6), log2(0.625)],
    ),
    "increments, total": (lambda: it.information_density_increments(STEPS, 0, [0.25, 0.75])["total"], 0.0),
    "increments, end": (lambda: it.information_density_increments(STEPS, 0, [0.25, 0.75])["posterior_src"], 0.25),
    "increments, uniform": (lambda: it.information_density_increments(STEPS, 1)["total"], 0.0),
    "increments, refuted": (lambda: it.information_density_increments([[-INF, -1], [-1, -1]], 0)["total"], -INF),
    "increments, refuted end": (lambda: it.information_density_increments([[-INF, -1]], 0)["posterior_src"], 0.0),
    "gain": (call(it.log_score_gain, [0.5, 0.5, 0], [0.25, 0.75, 0], 1), log2(1.5)),
    "gain, misled": (call(it.log_score_gain, [0.5, 0.5, 0], [0.25, 0.75, 0], 0), -1.0),
    "gain, ruled out": (call(it.log_score_gain, [0.5, 0.5], [0, 1], 0), -INF),
    "gain, from nothing": (call(it.log_score_gain, [0, 1], [0.5, 0.5], 0), NAN),
    "gain, from nothing to nothing": (call(it.log_score_gain, [0, 1], [0, 1], 0), NAN),
    "shift": (call(it.belief_shift, [0.5, 0.25, 0.25], [0.5, 0.5, 0]), 0.5),
    "shift, new world": (call(it.belief_shift, [1, 0], [0.5, 0.5]), INF),
    "leak V_prior": (lambda: it.information_leakage(**SECRET)["V_prior"], 0.5),
    "leak V_post": (lambda: it.information_leakage(**SECRET)["V_post"], 0.75),
    "leak min-entropy": (lambda: it.information_leakage(**SECRET)["min_entropy_leakage"], log2(1.5)),
    "leak maximal": (lambda: it.information_leakage(**SECRET)["maximal_leakage"], 1.0),
    "leak shannon": (lambda: it.information_leakage(**SECRET)["shannon_leakage"], 1.0),
    "leak, impossible secret, maximal": (lambda: it.information_leakage(**IMPOSSIBLE)["maximal_leakage"], 1.0),
    "leak, impossible secret, shannon": (lambda: it.information_leakage(**IMPOSSIBLE)["shannon_leakage"], 0.0),
    "claims": (call(it.semantic_mutual_information, [0.5, 0.5], SWAP, [[0.5, 1], [1, 0.5]]), log2(4 / 3)),
    "claims, wrong": (call(it.semantic_mutual_information, [0.5, 0.5], SWAP, [[1, 0.5], [0.5, 1]]), log2(2 / 3)),
    "claims, lie": (call(it.semantic_mutual_information, [0.5, 0.5], SWAP, [[1, 0], [0, 1]]), -INF),
    "claims, lie in an impossible world": (
        call(it.semantic_mutual_information, [1, 0], [[1, 0], [1, 0]], [[1, 1], [0, 1]]),
        0.0,
    ),
    "rajski D": (lambda: it.rajski_distance(SKEW)["D"], 2.0 - H_QUARTER),
    "rajski d": (lambda: it.rajski_distance(SKEW)["d"], (2.0 - H_QUARTER) / 1.5),
    "rajski, certain": (lambda: it.rajski_distance([[1.0]])["d"], 0.0),
    "common": (
        call(it.gacs_korner_common_information, [[0.25, 0, 0], [0, 0.25, 0.25], [0, 0, 0.25]]),
        H_QUARTER,
    ),
    "common, one block": (call(it.gacs_korner_common_information, SKEW), 0.0),
    "coupling, ties": (call(it.greedy_coupling_entropy, [0.5, 0.5], [0.25] * 4), 2.0),
    "coupling": (call(it.greedy_coupling_entropy, [0.75, 0.25], [0.5, 0.5]), 1.5),
    "coupling, certain": (call(it.greedy_coupling_entropy, [1, 0], [0, 1]), 0.0),
    "question": (call(it.expected_information_gain, [0.5, 0.25, 0.25], [[1, 0], [0, 1], [0, 1]]), 1.0),
    "question, idle": (call(it.expected_information_gain, [0.9, 0.1], [[0.3, 0.7], [0.3, 0.7]]), 0.0),
    "threshold": (call(it.conformal_threshold, [0.3, 0.1, 0.2], 0.5), 0.2),
    "threshold, least": (call(it.conformal_threshold, [0.3, 0.1, 0.2], 0.25), 0.1),
    "threshold, all": (call(it.conformal_threshold, [0.3, 0.1, 0.2], 0.24), -INF),
    "threshold, rounding": (call(it.conformal_threshold, [i / 100 for i in range(1, 100)], 0.29), 0.29),
    "bound": (call(it.conformal_entropy_bound, 0.25, 3, 16, 2.0), H_QUARTER + 1 - log2(0.75) + 1),
    "bound, small alpha": (call(it.conformal_entropy_bound, 0.2, 3, 16, 2.0), NAN),
    "bound, half": (call(it.conformal_entropy_bound, 0.5, 3, 16, 2.0), NAN),
    "bound, empty sets": (call(it.conformal_entropy_bound, 0.25, 3, 16, 0.0), NAN),
    "consistency": (call(it.speaker_consistency, [[0.25, 0.25, 0], [0, 0, 0.5]]), 1.0),
    "cic": (call(it.causal_influence_of_communication, [[1, 0], [0, 1], [0.5, 0.5]], [0.25, 0.25, 0.5]), 0.5),
    "jaques": (call(it.social_influence, [[1, 0], [0, 1], [0.5, 0.5]], [0.25, 0.25, 0.5], 0), 1.0),
    "jaques, average": (call(it.social_influence, [[1, 0], [0, 1], [0.5, 0.5]], [0.25, 0.25, 0.5], 2), 0.0),
    "jaques, impossible": (call(it.social_influence, [[1, 0], [0, 1]], [1, 0], 1), INF),
    "leave one out": (call(it.leave_one_out_influence, GLOVES, 3), [1.0, 0.0, 0.0]),
    "shapley": (call(it.shapley_values, GLOVES, 3), [2 / 3, 1 / 6, 1 / 6]),
    "shapley, alone": (call(it.shapley_values, {(): 2.0, (0,): 5.0}, 1), [3.0]),
    "labels, none spared": (call(it.minimal_labels, LABELS, UTIL, 0.0), [["a", "b"]]),
    "labels, at the edge": (call(it.minimal_labels, LABELS, UTIL, 1.0), [["a"]]),
    "labels, two": (call(it.minimal_labels, LABELS, UTIL, 2.0), [["a"], ["b"]]),
    "labels, all spared": (call(it.minimal_labels, LABELS, UTIL, 3.0), [[]]),
    "consensus": (call(it.degroot_consensus, TRUST, [0.0, 3.0]), 2.0),
    "consensus, alone": (call(it.degroot_consensus, [[1.0]], [7.0]), 7.0),
    "consensus, periodic": (call(it.degroot_consensus, SWAP, [0.0, 1.0]), NAN),
    "consensus, two groups": (call(it.degroot_consensus, [[1, 0], [0, 1]], [0.0, 1.0]), NAN),
    "stubborn": (call(it.friedkin_johnsen_equilibrium, SWAP, [0.0, 1.0], [0.5, 0.5]), [1 / 3, 2 / 3]),
    "stubborn, one": (call(it.friedkin_johnsen_equilibrium, SWAP, [0.0, 1.0], [1.0, 0.0]), [1.0, 1.0]),
    "stubborn, nobody": (call(it.friedkin_johnsen_equilibrium, SWAP, [0.0, 1.0], [1.0, 1.0]), [NAN, NAN]),
    "polarization": (call(it.polarization, [1.0, 1.0, 4.0]), 2.0),
    "disagreement": (call(it.disagreement, [[5, 2], [1, 0]], [0.0, 3.0]), 13.5),
    "virality": (call(it.structural_virality, TREE), 10 / 6),
    "virality, alone": (call(it.structural_virality, {"r": None}), 0.0),
    "virality, loop": (call(it.structural_virality, LOOP), NAN),
    "depth": (call(it.cascade_depth, TREE), 2),
    "depth, alone": (call(it.cascade_depth, {"r": None}), 0),
    "depth, loop": (call(it.cascade_depth, LOOP), None),
}


def check(found: Any, expected: Any) -> None:
    if expected is None:
        assert found is None
    elif isinstance(expected, list) and not (expected and isinstance(expected[0], float)):
        assert found == expected
    else:
        assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", ROWS)
def test_row_by_hand(name: str) -> None:
    compute, expected = ROWS[name]
    check(compute(), expected)


def said(msg_id: str, t: int, sender: str, to: str, tokens: int, fact: str, polarity: int) -> dict[str, Any]:
    mention = {"fact_id": fact, "polarity": polarity}
    record = {"msg_id": msg_id, "t": t, "sender": sender, "recipients": list(to), "tokens": tokens}
    return {**record, "facts": [mention], "reply_to": []}


LOG = {
    "agents": ["a", "b", "c", "d"],
    "facts": [
        {"fact_id": "f", "owner": ["a", "b"], "bits": 3.0, "visibility": ["a", "b", "c"]},
        {"fact_id": "g", "owner": "d", "bits": 0.5, "visibility": ["d"]},
        {"fact_id": "h", "owner": "d", "bits": 1, "visibility": ["a", "b", "c", "d"]},
    ],
    "messages": [
        said("m6", 5, "c", "c", 1, "h", +1),  # makes h up and tells itself: its own parent
        said("m7", 5, "b", "", 0, "f", -1),  # reaches nobody, is a distortion all the same
        said("m2", 2, "c", "d", 3, "f", -1),  # too late to change what d believes
        said("m1", 0, "a", "bc", 4, "f", +1),  # b owns it: redundant
        said("m10", 2, "c", "d", 0, "f", +1),  # before m2, since ids sort as text; d should not know
        said("m3", 3, "d", "a", 2, "f", -1),
        said("m4", 3, "a", "b", 2, "g", +1),  # a makes g up
        said("m5", 4, "b", "ad", 1, "g", -1),  # and hears it back: a and b parent each other; d owns it
    ],
}
FLOW = {
    "f": {
        "coverage": [0.75, 0.75, 1.0, 1.0, 1.0, 1.0],
        "coverage_final": 1.0,
        "t_half": 0,
        "mentions": 5,
        "deliveries_useful": 2,
        "deliveries_redundant": 3,
        "redundancy": 0.6,
        "distortion_events": 3,
        "distortion_rate": 0.6,
        "unsupported_mentions": 0,
        "leak_deliveries": 2,
        "leaked_to": ["d"],
        "depth": 2,
        "breadth": 1,
        "structural_virality": 4 / 3,
        "n_roots": 2,
        "wrong_belief_holders": [],
    },
    "g": {
        "coverage": [0.25, 0.25, 0.25, 0.5, 0.75, 0.75],
        "coverage_final": 0.75,
        "t_half": 3,
        "mentions": 2,
        "deliveries_useful": 2,
        "deliveries_redundant": 1,
        "redundancy": 1 / 3,
        "distortion_events": 1,
        "distortion_rate": 1.0,
        "unsupported_mentions": 1,
        "leak_deliveries": 2,
        "leaked_to": ["b", "a"],
        "depth": None,
        "breadth": None,
        "structural_virality": None,
        "n_roots": 1,
        "wrong_belief_holders": ["a"],
    },
    "h": {
        "coverage": [0.25, 0.25, 0.25, 0.25, 0.25, 0.5],
        "coverage_final": 0.5,
        "t_half": 5,
        "mentions": 1,
        "deliveries_useful": 1,
        "deliveries_redundant": 0,
        "redundancy": 0.0,
        "distortion_events": 0,
        "distortion_rate": NAN,
        "unsupported_mentions": 1,
        "leak_deliveries": 0,
        "leaked_to": [],
        "depth": None,
        "breadth": None,
        "structural_virality": None,
        "n_roots": 1,
        "wrong_belief_holders": [],
    },
    "_global": {"tokens": 13, "novel_fact_bits_delivered": 8.0, "novel_fact_bits_per_token": 8 / 13},
}


@pytest.mark.parametrize("fact", FLOW)
def test_log_by_hand(fact: str) -> None:
    found = it.fact_flow(LOG)[fact]
    assert found.keys() == FLOW[fact].keys()
    for key, expected in FLOW[fact].items():
        check(found[key], expected)


def test_log_without_messages_and_owner_outside_the_visibility() -> None:
    fact = {"fact_id": "f", "owner": "a", "bits": 1.0, "visibility": []}
    quiet = it.fact_flow({"agents": ["a"], "facts": [fact], "messages": []})
    assert quiet["f"]["coverage"] == [1.0]
    assert (quiet["f"]["t_half"], quiet["f"]["depth"], quiet["f"]["structural_virality"]) == (0, 0, 0.0)
    assert math.isnan(quiet["f"]["redundancy"])
    assert math.isnan(quiet["_global"]["novel_fact_bits_per_token"])
    back = [said("m1", 1, "a", "b", 1, "f", +1), said("m2", 2, "b", "a", 1, "f", +1)]
    told = it.fact_flow({"agents": ["a", "b", "c"], "facts": [fact], "messages": back})["f"]
    assert (told["leak_deliveries"], told["leaked_to"]) == (2, ["b", "a"])
    assert (told["t_half"], told["deliveries_redundant"]) == (1, 1)
