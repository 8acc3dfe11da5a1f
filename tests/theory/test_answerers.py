import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from tidings.theory import agreement, regimes
from tidings.theory.aggregation import psi_vote
from tidings.theory.answerers import (
    Answerers,
    Answers,
    AnswerSpace,
    Revision,
    draw_answers,
    draw_directions,
    embed_answers,
)
from tidings.theory.shapley import cosine_contributions
from tidings.theory.topology import contribution_dag, select_response

LEMMA = json.loads((Path(__file__).parents[1] / "golden" / "self_organisation.json").read_text())["lemma1"]
SPACE = AnswerSpace(base=0.5, cohesion_right=0.3, cohesion_wrong=0.3)
BLIND = Revision(0.5, 0.5, 0.5)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("key", sorted(LEMMA["closed_form"]))
def test_golden_critical_accuracy(key):
    if key.startswith("uniform"):
        shares = agreement.wrong_shares(int(key.split("K=")[1].split()[0]))
    else:
        shares = agreement.wrong_shares(50, float(key.split("s=")[1].split(",")[0]))
    found = agreement.critical_accuracy(agreement.wrong_concentration(shares))
    assert found == pytest.approx(LEMMA["closed_form"][key], abs=1e-12)


@pytest.mark.parametrize("key", sorted(LEMMA["coverage"]))
def test_golden_coverage(key):
    found, golden = agreement.coverage(float(key[2:]), 5), LEMMA["coverage"][key]
    assert found.p_any == pytest.approx(golden["any_of_5"], abs=1e-12)
    assert found.p_exactly_one == pytest.approx(golden["exactly_1_of_5"], abs=1e-12)
    assert found.p_at_least_two == pytest.approx(golden["at_least_2_of_5"], abs=1e-12)


def test_at_the_critical_accuracy_right_and_wrong_agreement_are_equal():
    for n_scattered, share in ((1, 0.0), (7, 0.0), (50, 0.7), (0, 1.0)):
        q = agreement.wrong_concentration(agreement.wrong_shares(n_scattered, share))
        p = agreement.critical_accuracy(q)
        assert p**2 == pytest.approx((1 - p) ** 2 * q)
    assert agreement.wrong_shares(4, 0.2).tolist() == pytest.approx([0.2] * 5)
    assert agreement.coverage(0.3, 1).p_at_least_two == pytest.approx(0.0)


def test_answers_have_the_stated_shares():
    answers = draw_answers(Answerers(0.4, n_scattered=4, p_attractor=0.5, p_unparsable=0.1), 40_000, 3, rng())
    shares = np.bincount(answers.labels.ravel(), minlength=6) / answers.labels.size
    assert shares == pytest.approx([0.4, 0.3, 0.075, 0.075, 0.075, 0.075], abs=0.006)
    assert answers.is_parsable.mean() == pytest.approx(0.9, abs=0.005)
    assert np.corrcoef(answers.labels[:, 0] == 0, answers.is_parsable[:, 0])[0, 1] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("p_shared", [0.0, 0.5, 0.9])
def test_shared_answers_correlate_as_stated(p_shared):
    labels = draw_answers(Answerers(0.4, p_shared=p_shared), 40_000, 3, rng()).labels
    right = labels == 0
    assert right.mean() == pytest.approx(0.4, abs=0.01)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert np.corrcoef(right[:, i], right[:, j])[0, 1] == pytest.approx(p_shared**2, abs=0.025)
    coincide = ((labels[:, 0] == labels[:, 1]) & ~right[:, 0] & ~right[:, 1]).mean()
    independent = 0.6**2 / 50
    assert coincide == pytest.approx(p_shared**2 * 0.6 + (1 - p_shared**2) * independent, abs=0.01)


def test_lemma_one_in_simulation():
    answerers = Answerers(0.35, n_scattered=50, p_attractor=0.5)
    q = agreement.wrong_concentration(agreement.wrong_shares(50, 0.5))
    labels = draw_answers(answerers, 60_000, 2, rng()).labels
    agree = labels[:, 0] == labels[:, 1]
    assert (agree & (labels[:, 0] == 0)).mean() == pytest.approx(0.35**2, abs=0.006)
    assert (agree & (labels[:, 0] != 0)).mean() == pytest.approx(0.65**2 * q, abs=0.006)


def test_ideas_join_equal_labels_and_keep_ways_apart():
    answers = draw_answers(Answerers(0.5, n_scattered=3), 500, 6, rng())
    np.testing.assert_array_equal(
        answers.ideas[:, :, None] == answers.ideas[:, None, :], answers.labels[:, :, None] == answers.labels[:, None, :]
    )
    assert (answers.ideas <= np.arange(6)).all()
    right = draw_answers(Answerers(1.0, n_ways_right=3), 3000, 2, rng())
    assert (right.ideas[:, 1] == 0).mean() == pytest.approx(1 / 3, abs=0.03)


def test_embeddings_have_the_stated_cosines():
    space = AnswerSpace(base=0.5, cohesion_right=0.4, cohesion_wrong=0.1, dim=256)
    labels = np.tile([0, 0, 1, 1, 2], (800, 1))
    answers = Answers(labels, np.tile([0, 0, 2, 2, 4], (800, 1)), np.ones_like(labels, dtype=bool))
    rows = embed_answers(answers, space, draw_directions(space, 800, 5, rng(1)), rng(2))
    cosines = (rows @ rows.transpose(0, 2, 1)).mean(axis=0)
    assert np.diag(cosines) == pytest.approx(np.ones(5))
    assert cosines[0, 1] == pytest.approx(0.9, abs=0.01)
    assert cosines[2, 3] == pytest.approx(0.6, abs=0.01)
    assert cosines[0, 2] == pytest.approx(0.5, abs=0.01)
    assert cosines[3, 4] == pytest.approx(0.5, abs=0.01)


def test_lemma_two_tight_right_answers_have_the_higher_psi():
    space = AnswerSpace(base=0.5, cohesion_right=0.4, cohesion_wrong=0.0)
    labels = np.tile([0, 0, 0, 1, 2], (300, 1))
    answers = Answers(labels, np.tile([0, 0, 0, 3, 4], (300, 1)), np.ones_like(labels, dtype=bool))
    psi = regimes.batch_psi(embed_answers(answers, space, draw_directions(space, 300, 5, rng(1)), rng(2)))
    assert psi[:, :3].mean() > psi[:, 3:].mean() + 0.05


@pytest.mark.parametrize("top_k", [None, 1, 2, 9])
@pytest.mark.parametrize("tau", [-1.0, 0.6])
def test_batches_equal_one_question_at_a_time(tau, top_k):
    answers = draw_answers(Answerers(0.4, n_scattered=2, p_unparsable=0.4), 150, 5, rng(3))
    rows = embed_answers(answers, SPACE, draw_directions(SPACE, 150, 5, rng(4)), rng(5))
    psi, dag = regimes.batch_psi(rows), regimes.batch_dag(rows, tau, top_k)
    vote = regimes.choose_by_vote(answers.labels, answers.is_parsable, regimes.clamp(psi))
    center = regimes.choose_by_centroid(rows, regimes.clamp(psi))
    choice = vote.or_else(center)
    assert 0 < vote.is_made.mean() < 1
    for i, matrix in enumerate(rows):
        np.testing.assert_allclose(psi[i], cosine_contributions(matrix), atol=1e-12)
        assert [tuple(edge) for edge in np.argwhere(dag[i])] == contribution_dag(matrix, tau, top_k)
        assert center.agents[i] == select_response(matrix, psi[i])
        keys = [int(x) if ok else None for x, ok in zip(answers.labels[i], answers.is_parsable[i], strict=True)]
        expected = psi_vote(matrix, keys)
        if expected.rule == "vote":
            assert answers.labels[i, choice.agents[i]] == expected.key
        else:
            assert choice.agents[i] == expected.index


def test_batch_cap_takes_the_stronger_of_two_equally_close():
    rows = np.array([[0.6, 0.8, 0.0], [0.6, 0.0, 0.8], [1.0, 0.0, 0.0], [0.0, 0.5, 1.0]])
    assert np.argwhere(regimes.batch_dag(rows[None], -1.0, 1)[0]).tolist() == [
        list(edge) for edge in contribution_dag(rows, -1.0, 1)
    ]


def test_equal_votes_go_to_the_first_and_no_voter_makes_no_choice():
    labels, nobody = np.array([[3, 0, 3, 0, 1]]), np.zeros((1, 5), dtype=bool)
    assert regimes.choose_by_vote(labels, ~nobody, np.ones((1, 5))).agents.tolist() == [0]
    assert regimes.choose_by_vote(labels, ~nobody, np.array([[0.5, 0.2, 0.5, 0.2, 1.0]])).agents.tolist() == [0]
    noisy = regimes.choose_by_vote(
        np.array([[1, 0, 0]]), np.ones((1, 3), dtype=bool), np.array([[0.3, 0.1, 0.2 - 1e-12]])
    )
    assert noisy.agents.tolist() == [1]
    vote = regimes.choose_by_vote(labels, nobody, np.ones((1, 5)))
    assert not vote.is_made.any()
    all_right = Answers(np.zeros((1, 5), dtype=int), np.zeros((1, 5), dtype=int), nobody)
    assert not regimes.is_right(all_right, vote, "text").any()
    center = regimes.choose_by_centroid(np.ones((1, 5, 2)), np.ones((1, 5)))
    assert regimes.is_right(all_right, vote.or_else(center), "text").all()
    assert not regimes.is_right(all_right, vote.or_else(center), "key").any()


def test_revision_probabilities():
    right, wrong = np.array([True]), np.array([False])
    revision = Revision(p_repair=0.9, p_mislead=0.1, p_swap=0.4)
    assert revision.p_take(wrong, right) == pytest.approx(0.9)
    assert revision.p_take(right, wrong) == pytest.approx(0.1)
    assert revision.p_take(wrong, wrong) == pytest.approx(0.4)
    assert revision.p_take(right, right) == pytest.approx(0.4)


def test_readers_who_cannot_verify_are_a_martingale():
    """With one chance for all cases and a graph that does not know who is right, rounds leave the mean where it was."""
    space = AnswerSpace(base=0.5, cohesion_right=0.0, cohesion_wrong=0.0, dim=8)
    answers = draw_answers(Answerers(0.4), 8000, 5, rng(6))
    end = regimes.play_rounds(answers, space, Revision(0.7, 0.7, 0.7), 3, rng(7))
    shift = (end.answers.labels == 0).mean(axis=1) - (answers.labels == 0).mean(axis=1)
    assert abs(shift.mean()) < 4 * shift.std() / math.sqrt(len(shift)) < 0.02


def test_readers_who_verify_repair_and_gullible_ones_are_misled():
    answers = draw_answers(Answerers(0.4), 5000, 5, rng(8))
    start = (answers.labels == 0).mean()
    better = regimes.play_rounds(answers, SPACE, Revision(1, 0, 0), 2, rng(9))
    worse = regimes.play_rounds(answers, SPACE, Revision(0, 1, 0), 2, rng(9))
    frozen = regimes.play_rounds(answers, SPACE, Revision(0, 0, 0), 2, rng(9))
    assert (better.answers.labels == 0).mean() > start + 0.2
    assert (worse.answers.labels == 0).mean() < start - 0.05
    np.testing.assert_array_equal(frozen.answers.labels, answers.labels)


def test_news_travels_in_one_round_through_updated_answers():
    """Parents' new answers are read: with one parent each and certain repair, a whole chain turns right at once."""
    n = 5
    labels = np.tile([0, 1, 1, 1, 1], (1, 1))
    answers = Answers(labels, np.tile([0, 1, 1, 1, 1], (1, 1)), np.ones_like(labels, dtype=bool))
    dag = np.zeros((1, n, n), dtype=bool)
    dag[0, range(n - 1), range(1, n)] = True
    order = np.arange(n)[None, :]
    revise = regimes._revise_in_order
    assert revise(answers, order, dag, Revision(1, 1, 1), rng()).labels.tolist() == [[0] * 5]
    assert revise(answers, order, dag, Revision(1, 1, 1), rng()).ideas.tolist() == [[0] * 5]
    assert revise(answers, order[:, ::-1], dag, Revision(1, 1, 1), rng()).labels.tolist() == [[0, 0, 1, 1, 1]]


def test_calls_are_counted_and_skipped_agents_cost_nothing():
    answers = draw_answers(Answerers(0.4), 50, 5, rng(10))
    full = regimes.play_rounds(answers, SPACE, BLIND, 2, rng(11))
    assert (full.n_calls == 15).all()
    none = regimes.play_rounds(answers, SPACE, BLIND, 2, rng(11), tau=2.0)
    assert (none.n_calls == 7).all()
    np.testing.assert_array_equal(none.answers.labels, answers.labels)
    still = regimes.play_rounds(answers, SPACE, BLIND, 0, rng(11))
    assert (still.n_calls == 5).all()
    np.testing.assert_array_equal(still.embeddings, still.first_embeddings)


def plurality_of_two_camps(p, share, n):
    """Chance that right answers outnumber the attractor among n, ties halved; scattered errors coincide too rarely."""
    total = 0.0
    for right in range(n + 1):
        for shared in range(n + 1 - right):
            ways = math.factorial(n) / (
                math.factorial(right) * math.factorial(shared) * math.factorial(n - right - shared)
            )
            odds = p**right * ((1 - p) * share) ** shared * ((1 - p) * (1 - share)) ** (n - right - shared)
            total += ways * odds * (1.0 if right > shared else 0.5 if right == shared > 0 else 0.0)
    return total


@pytest.mark.parametrize(("p", "sheet"), [(0.4, 0.28), (0.6, 0.83)])
def test_self_consistency_under_a_shared_error(p, sheet):
    found = regimes.compare_methods(Answerers(p, 50, 0.9), SPACE, BLIND, 3000, 5, 2, rng(12))["self_consistency"]
    expected = plurality_of_two_camps(p, 0.9, 15)
    assert expected == pytest.approx(sheet, abs=0.01)
    assert found.mean == pytest.approx(expected, abs=4 * found.standard_error)
    assert found.mean_calls == 15
    fewer = regimes.compare_methods(Answerers(p, 50, 0.9), SPACE, BLIND, 3000, 5, 2, rng(12), tau=2.0)[
        "self_consistency"
    ]
    assert fewer.mean_calls == 7
    assert fewer.mean == pytest.approx(plurality_of_two_camps(p, 0.9, 7), abs=4 * fewer.standard_error)


@pytest.mark.parametrize(
    ("answerers", "is_helped"),
    [(Answerers(0.4), False), (Answerers(0.4, 50, 0.9), True), (Answerers(0.6, 50, 0.9), False)],
    ids=["scattered errors", "shared error below p*", "shared error above p*"],
)
def test_at_equal_calls_self_organising_wins_only_below_the_critical_accuracy(answerers, is_helped):
    """The signs of section 10 of the sheet (98 against 60-63, 28 against 36, 83 against 70-71), 5 points or more."""
    found = regimes.compare_methods(answerers, SPACE, BLIND, 3000, 5, 2, rng(12))
    q = agreement.wrong_concentration(agreement.wrong_shares(answerers.n_scattered, answerers.p_attractor))
    for name in ("self_organised_vote", "self_organised_centroid"):
        gain = found[name].mean - found["self_consistency"].mean
        assert abs(gain) > 0.05
        assert (gain > 0) == is_helped == (answerers.p_right < agreement.critical_accuracy(q))


def test_exact_plurality_of_three():
    """Plurality of three with ties to the first, by hand: wrong answers scattered over 2 labels, p = 0.4."""
    p, w = 0.4, 0.3
    first = p * (p * p + 2 * p * 2 * w + 2 * w * w)  # first right; the rest not twice the same wrong
    later = 2 * w * p * p  # first wrong, both others right
    expected = first + later
    found = regimes.compare_methods(Answerers(p, n_scattered=2), SPACE, BLIND, 20_000, 3, 0, rng(13))
    assert found["majority"].mean == pytest.approx(expected, abs=4 * found["majority"].standard_error)
    assert found["single"].mean == pytest.approx(p, abs=4 * found["single"].standard_error)
    assert found["self_consistency"] == found["majority"]


def test_unparsable_answers_hurt_by_key_and_not_by_text():
    """Section 6 of the sheet: p = 0.4 and 40 % unparsable, dropped from the vote: 62 % by key."""
    answerers = Answerers(0.4, p_unparsable=0.4)
    by_key = regimes.compare_methods(answerers, SPACE, BLIND, 4000, 5, 0, rng(14))
    by_text = regimes.compare_methods(answerers, SPACE, BLIND, 4000, 5, 0, rng(14), grading="text")
    assert by_key["psi_vote"].mean == pytest.approx(0.62, abs=0.025)
    assert by_text["psi_vote"].mean >= by_key["psi_vote"].mean
    assert by_text["centroid"].mean > by_key["centroid"].mean + 0.15


def test_one_agent_and_everything_repeats():
    found = regimes.compare_methods(Answerers(0.4), SPACE, BLIND, 500, 1, 1, rng(15))
    assert found["single"].mean == found["majority"].mean == found["psi_vote"].mean == found["centroid"].mean
    again = regimes.compare_methods(Answerers(0.4), SPACE, BLIND, 500, 1, 1, rng(15))
    assert found == again
    assert found["single"].standard_error == pytest.approx(
        math.sqrt(found["single"].mean * (1 - found["single"].mean) / 500)
    )


def test_a_cell_of_the_map_takes_seconds():
    start = time.perf_counter()
    regimes.compare_methods(Answerers(0.4), SPACE, BLIND, 2000, 5, 2, rng())
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Answerers(1.1), r"Answerers\.p_right: found 1\.1"),
        (lambda: Answerers(0.5, p_shared=-0.1), r"p_shared: found -0\.1"),
        (lambda: Answerers(0.5, n_scattered=0), r"n_scattered: found 0"),
        (lambda: Answerers(0.5, n_ways_right=0), r"n_ways_right: found 0"),
        (lambda: AnswerSpace(0.8, 0.3, 0.0), r"need base \+ cohesion <= 1"),
        (lambda: AnswerSpace(0.5, 0.3, 0.0, dim=0), "dim >= 1"),
        (lambda: Revision(0.5, math.nan, 0.5), r"p_mislead: found nan"),
        (lambda: draw_answers(Answerers(0.5), 0, 1, rng()), "found 0 questions"),
        (lambda: agreement.wrong_concentration([0.5, 0.6]), "sum to 1"),
        (lambda: agreement.wrong_concentration([1.5, -0.5]), "numbers >= 0"),
        (lambda: agreement.critical_accuracy(2.0), r"q: found 2\.0"),
        (lambda: agreement.coverage(0.5, 0), r"n_agents: found 0"),
        (lambda: regimes.play_rounds(draw_answers(Answerers(0.5), 1, 1, rng()), SPACE, BLIND, -1, rng()), "found -1"),
    ],
)
def test_bad_requests(call, words):
    with pytest.raises(ValueError, match=words):
        call()
