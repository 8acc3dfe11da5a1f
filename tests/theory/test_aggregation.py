import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tidings.theory.aggregation import Aggregate, centroid, clamped_weights, majority, psi_vote, weighted_vote
from tidings.theory.shapley import cosine_contributions
from tidings.theory.topology import select_response

OPPOSED = np.array([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.8, 0.0, 0.6], [-0.6, 0.8, 0.0]])

key_lists = st.lists(st.sampled_from(["A", "B", "C", None]), min_size=1, max_size=8)
entries = st.sampled_from([-1.0, 0.0, 0.5, 1.0])


def plain_psi_vote(rows, keys):
    """The rule in plain words: score, count, lowest id; within the key the largest psi, lowest id."""
    psi = [float(value) for value in cosine_contributions(rows)]
    weights = [max(0.0, value) for value in psi]
    if not any(weights):
        weights = [1.0] * len(psi)

    def rank(key):
        members = [i for i, other in enumerate(keys) if other == key]
        return (-round(sum(weights[i] for i in members), 8), -len(members), members[0])

    winner = min({key for key in keys if key is not None}, key=rank)
    members = [i for i, other in enumerate(keys) if other == winner]
    return min(members, key=lambda i: (-round(weights[i], 8), i)), winner


def test_worked_example():
    assert psi_vote(OPPOSED, ["A", "B", "A", "C"]) == Aggregate(0, "A", "vote", 4)
    assert psi_vote(OPPOSED, ["A", "B", "D", "C"]) == Aggregate(1, "B", "vote", 4)
    assert psi_vote(OPPOSED, ["A", None, "D", "C"]) == Aggregate(0, "A", "vote", 3)


@given(key_lists, st.data())
@settings(max_examples=150, deadline=None)
def test_vote_equals_plain_rule(keys, data):
    rows = data.draw(arrays(float, (len(keys), 3), elements=entries))
    found = psi_vote(rows, keys)
    if any(key is not None for key in keys):
        assert (found.index, found.key) == plain_psi_vote(rows, keys)
        assert found.rule == "vote"
        assert found.n_voters == sum(key is not None for key in keys)
    else:
        assert found == centroid(rows)
    assert found.index is not None
    assert 0 <= found.index < len(keys)
    assert found.key == keys[found.index]


def test_negative_psi_neither_votes_nor_turns_the_centroid():
    assert cosine_contributions(OPPOSED)[3] < 0
    assert clamped_weights(cosine_contributions(OPPOSED))[3] == 0
    rows = np.array([[-2.0, 0.0], [-1.0, 0.0], [-2.0, 2.0], [2.0, -2.0]])
    assert select_response(rows, cosine_contributions(rows)) == 2
    assert centroid(rows).index == 0
    assert psi_vote(rows, [None, None, "A", "B"]).key == "A"
    assert psi_vote(OPPOSED, [None, None, None, "C"]) == Aggregate(3, "C", "vote", 1)


def test_equal_scores_go_to_the_larger_group_then_to_the_first():
    assert weighted_vote(["A", "B", "B"], [1.0, 0.5, 0.5]).key == "B"
    assert weighted_vote(["A", "B", "B"], [0.3, 0.1, 0.2 - 1e-12]).key == "B"
    assert weighted_vote(["B", "A"], [0.5, 0.5]) == Aggregate(0, "B", "vote", 2)
    assert weighted_vote(["B", "A"], [0.5, 0.5 + 1e-6]).key == "A"


def test_the_strongest_answer_speaks_for_its_key():
    assert weighted_vote(["A", "A", "B"], [0.4, 0.6, 0.9]).index == 1
    assert weighted_vote(["A", "A", "B"], [0.5, 0.5 + 1e-13, 0.9]).index == 0


def test_opposite_answers_vote_with_equal_weight():
    rows = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert psi_vote(rows, ["A", "B"]) == Aggregate(0, "A", "vote", 2)
    assert psi_vote(np.zeros((3, 2)), ["A", "B", "B"]).key == "B"
    assert clamped_weights([0.0, -0.5]).tolist() == [1.0, 1.0]


def test_majority():
    assert majority(["B", "A", "A"]) == Aggregate(1, "A", "vote", 3)
    assert majority(["B", "A"]) == Aggregate(0, "B", "vote", 2)
    assert majority([None, None, "C"]) == Aggregate(2, "C", "vote", 1)
    assert majority([7, 8, 8]).key == 8


def test_without_any_key_a_vote_falls_back_and_a_plurality_has_no_answer():
    assert psi_vote(OPPOSED, [None] * 4) == Aggregate(0, None, "centroid", 0)
    assert majority([None, None]) == Aggregate(None, None, "no_key", 0)


def test_unparsable_answers_never_win_a_vote():
    rows = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert psi_vote(rows, [None, None, None, "B"]) == Aggregate(3, "B", "vote", 1)
    assert majority([None, None, None, "B"]).key == "B"


def test_one_agent_and_falsy_keys():
    assert psi_vote([[0.0, 0.0]], ["A"]) == Aggregate(0, "A", "vote", 1)
    assert psi_vote([[1.0]], [None]) == Aggregate(0, None, "centroid", 0)
    assert majority(["", 0, 0]) == Aggregate(1, 0, "vote", 3)


def test_centroid_reports_keys_but_does_not_use_them():
    for keys in (["A", "B", "C", "C"], ["C", "C", "C", None]):
        assert centroid(OPPOSED, keys) == Aggregate(0, keys[0], "centroid", sum(key is not None for key in keys))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: majority([]), "keys: found none"),
        (lambda: psi_vote(OPPOSED, ["A"]), r"psi_vote\.keys: found 1 keys for 4 answers"),
        (lambda: centroid(OPPOSED, ["A"]), r"centroid\.keys: found 1"),
        (lambda: weighted_vote(["A"], [-1.0]), r"weights: found .*-1.0.*use clamped_weights"),
        (lambda: weighted_vote(["A"], [math.nan]), "need 1 finite numbers"),
        (lambda: weighted_vote(["A"], [1.0, 2.0]), "need 1 finite numbers"),
    ],
)
def test_bad_requests(call, words):
    with pytest.raises(ValueError, match=words):
        call()
