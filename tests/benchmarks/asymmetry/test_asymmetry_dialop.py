"""DialOp: exact optimum, partial views, floors, and a parser that takes full permutations only."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from tidings.benchmarks.asymmetry import (
    DataError,
    answer_from_items,
    build_dialop,
    draw_game,
    load_dialop,
    parse_proposal,
    score_answer,
    score_text,
    visible_items,
    write_answer,
)
from tidings.benchmarks.asymmetry.dialop import PAPERS, REVIEWERS, write_proposal
from tidings.benchmarks.asymmetry.dialop_games import (
    assignment_reward,
    optimal_assignment,
    own_view_norms,
    player_view,
    random_norm,
)
from tidings.core.errors import ReplyError

FIXTURE = Path(__file__).parents[2] / "fixtures" / "asymmetry" / "dialop.jsonl"
GAMES = [draw_game(0, i) for i in range(60)]
IDENTITY = tuple((i, i) for i in range(8))


def norm(game, pairs):
    return assignment_reward(game.table, pairs) / assignment_reward(game.table, optimal_assignment(game.table))


def test_the_optimum_is_that_of_all_permutations():
    rng = np.random.default_rng(0)
    for _ in range(20):
        table = rng.integers(0, 100, (6, 6))
        best = max(sum(table[i, p[i]] for i in range(6)) for p in permutations(range(6)))
        assert assignment_reward(table, optimal_assignment(table)) == best


def test_the_released_format():
    first, second = load_dialop(FIXTURE)
    assert first.n_messages == 3
    assert first.human_pairs == tuple((r, (r + 3) % 8) for r in range(8)), "the last full proposal, in row order"
    assert norm(first, first.human_pairs) == pytest.approx(366 / 534)
    assert second.human_pairs is None
    assert second.scales == (1.0, 10.0)


def test_a_player_sees_scaled_whole_numbers_or_nothing():
    game = load_dialop(FIXTURE)[0]
    for player in (0, 1):
        view = player_view(game, player)
        for r in range(8):
            for c in range(8):
                if game.masks[player][r][c]:
                    assert view[r, c] == int(game.table[r][c] * game.scales[player])
                else:
                    assert np.isnan(view[r, c])


def test_a_players_items_are_exactly_the_cells_this_player_sees():
    game = load_dialop(FIXTURE)[0]
    problem = build_dialop([game]).problems[0]
    for player in (0, 1):
        items = visible_items(problem.items, f"player{player}")
        assert len(items) == np.array(game.masks[player]).sum()
        view = player_view(game, player)
        for item in items:
            _, row, column = item.fact.removeprefix("cell").split("-")
            expected = (
                f"The score of {REVIEWERS[int(row)]} for {PAPERS[int(column)]} is {int(view[int(row), int(column)])}."
            )
            assert item.text == expected


def test_drawn_games_are_worth_talking_about():
    for game in GAMES:
        table, masks = np.array(game.table), np.array(game.masks)
        assert (table[~masks.any(axis=0).astype(bool)] == 50).all()
        assert table.min() >= 0
        assert table.max() <= 99
        first_index = [norm(game, optimal_assignment(np.where(mask, table, 50))) for mask in masks]
        assert max(first_index) < 0.8
        assert all(1 <= scale < 10 for scale in game.scales)
    assert np.mean([game.masks for game in GAMES]) == pytest.approx(0.4, abs=0.03)
    assert draw_game(0, 3) == GAMES[3]


def test_floors_of_drawn_games_are_those_of_the_released_ones():
    # Released games (134): random 0.610, own view 0.832 with unseen = 50 and random ties, pooled 1.
    own = np.array([own_view_norms(game, 10, seed=0) for game in GAMES])
    assert np.mean([random_norm(game) for game in GAMES]) == pytest.approx(0.61, abs=0.02)
    assert own.mean() == pytest.approx(0.83, abs=0.015)


def test_own_view_ties_are_random_and_the_fill_matters():
    game = GAMES[0]
    assert own_view_norms(game, 5, seed=0) != own_view_norms(game, 5, seed=1)
    assert own_view_norms(game, 5, seed=0) == own_view_norms(game, 5, seed=0)
    assert own_view_norms(game, 20, 0, fill=50) != own_view_norms(game, 20, 0, fill=0)


def test_random_norm_is_the_mean_over_all_assignments():
    game = GAMES[1]
    rng = np.random.default_rng(0)
    drawn = [norm(game, tuple(enumerate(rng.permutation(8).tolist()))) for _ in range(4000)]
    assert random_norm(game) == pytest.approx(np.mean(drawn), abs=0.01)


def test_perfect_reader_of_comparable_numbers_finds_the_optimum():
    tasks = build_dialop(GAMES, scaled=False)
    for problem, gold in zip(tasks.problems, tasks.golds, strict=True):
        question = problem.questions[0]
        pooled = answer_from_items(question, problem.items)
        assert score_answer(gold, pooled) == 1.0
        assert score_answer(gold, answer_from_items(question, visible_items(problem.items, "player0"))) < 0.85
        assert score_text(question, gold, write_answer("assignment", pooled)).value == 1.0


def test_perfect_reader_of_scaled_numbers_comes_close():
    tasks = build_dialop(GAMES)
    norms = [
        score_answer(gold, answer_from_items(p.questions[0], p.items))
        for p, gold in zip(tasks.problems, tasks.golds, strict=True)
    ]
    assert np.mean(norms) > 0.99
    assert answer_from_items(tasks.problems[0].questions[0], ()) is None


@pytest.mark.parametrize(
    "proposal",
    [
        dict(zip(REVIEWERS, PAPERS, strict=True)),
        {"assignment": dict(zip(REVIEWERS, PAPERS, strict=True))},
        [[r.upper(), f" {p} "] for r, p in zip(REVIEWERS, PAPERS, strict=True)],
        {"pairs": [[i, i] for i in reversed(range(8))]},
        [(r, i) for i, r in enumerate(REVIEWERS)],
    ],
)
def test_proposals_in_every_allowed_form(proposal):
    assert parse_proposal(proposal) == IDENTITY
    assert parse_proposal(json.dumps(proposal)) == IDENTITY


def test_write_and_parse_are_inverse():
    pairs = tuple((r, (5 * r + 2) % 8) for r in range(8))
    assert parse_proposal(write_proposal(pairs)) == pairs


@pytest.mark.parametrize(
    ("proposal", "kind"),
    [
        ("Ines takes Anchor", "unparsable"),
        ("5", "unparsable"),
        ("[1, 2]", "unparsable"),
        ('{"Ines": "Anchor"}', "incomplete"),
        (dict.fromkeys(REVIEWERS, "Anchor"), "incomplete"),
        ([[0, i] for i in range(8)], "incomplete"),
        ({**dict(zip(REVIEWERS, PAPERS, strict=True)), "Zed": "Anchor"}, "unknown_name"),
        ([[i, i + 1] for i in range(8)], "unknown_name"),
        ([[True, 1]], "unknown_name"),
        ([["Anchor", "Ines"]], "unknown_name"),
    ],
)
def test_anything_but_a_full_permutation_does_not_count(proposal, kind):
    with pytest.raises(ReplyError) as caught:
        parse_proposal(proposal)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"best_assignment_reward": 1}, r"best_assignment_reward: 1, but the table's optimum is 534"),
        ({"mask1": [[1]]}, r"jsonl:1: mask1: the grid is not 8 x 8"),
        ({"table": "x"}, r"Expected `array`, got `str`"),
        ({"scale1": None}, r"Expected `float`, got `null`"),
    ],
)
def test_malformed_games_are_named(tmp_path, change, complaint):
    path = tmp_path / "games.jsonl"
    path.write_text(json.dumps(json.loads(FIXTURE.read_text().splitlines()[0]) | change))
    with pytest.raises(DataError, match=complaint):
        load_dialop(path)
