"""DialOp's optimization game: two people who each see parts of a table must agree on an assignment.

Eight reviewers (rows) are assigned to eight papers (columns). A player sees a cell as `int(value x own scale)` or
not at all; the scales differ, so the two players' numbers do not compare. The reward is the sum of the assigned cells.

Source: Lin, Tomlin, Andreas, Eisner 2023, "Decision-oriented dialogue", arXiv 2305.20076.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tidings.benchmarks.asymmetry.sources import convert_record, read_json_lines
from tidings.benchmarks.streams import stream_generator
from tidings.core.errors import DataError
from tidings.theory.assignment import Pairs, assignment_reward, optimal_assignment

__all__ = [
    "SIZE",
    "UNSEEN",
    "DialopGame",
    "Grid",
    "Pairs",
    "as_permutation",
    "assignment_reward",
    "draw_game",
    "load_dialop",
    "optimal_assignment",
    "own_view_norms",
    "player_view",
    "random_norm",
    "tie_noise",
]

SIZE = 8
"""Rows, and columns, of a game's table."""

UNSEEN = 50
"""Value of a cell that neither player sees."""

Grid = tuple[tuple[int, ...], ...]
"""A table of whole numbers, row by row."""

_P_SEEN, _MIN_GAIN = 0.4, 1.25
_WHAT = "a DialOp optimization file (JSON lines)"


@dataclass(frozen=True, slots=True)
class DialopGame:
    """One game.

    Attributes:
        id: Unique within the file.
        table: Rewards `[8, 8]`, 0..99.
        masks: What player 0 and player 1 see, `[2][8, 8]` of 0 and 1.
        scales: The factors of the two players' numbers.
        human_pairs: The last full proposal of the two people who played it; None when there is none.
        n_messages: Messages those two people exchanged; 0 when nobody played it.
    """

    id: str
    table: Grid
    masks: tuple[Grid, Grid]
    scales: tuple[float, float]
    human_pairs: Pairs | None = None
    n_messages: int = 0


class _Action(msgspec.Struct):
    type: str
    proposal_ids: list[list[int]] | None = None


class _Row(msgspec.Struct):
    table: Grid
    mask1: Grid
    mask2: Grid
    scale1: float
    scale2: float
    best_assignment_reward: int
    action_log: list[_Action] = []


def load_dialop(path: Path | str) -> tuple[DialopGame, ...]:
    """Returns the games of a file.

    Raises:
        DataError: The file is missing, a line is malformed, a grid is not 8 x 8, or the stated optimum is not that of
            the table; the error names the line.
    """
    return tuple(_read_game(value, where, str(n)) for n, (where, value) in enumerate(read_json_lines(path, _WHAT)))


def draw_game(seed: int, index: int) -> DialopGame:
    """Returns a random game of the paper's distribution, from its own stream (seed, set, id).

    Cells uniform in 0..99, each seen by a player with probability 0.4, scales uniform in 1..10; redrawn until the
    pooled optimum beats 1.25 times what either player's own view gives.
    """
    generator = stream_generator(seed, "dialop", "game", index)
    while True:  # about 2,000 tables
        values, *seen = generator.random((3, SIZE, SIZE))
        masks = seen[0] < _P_SEEN, seen[1] < _P_SEEN
        table = np.where(masks[0] | masks[1], np.trunc(values * 100), UNSEEN)
        limit = _solved_reward(table, table) / _MIN_GAIN
        if all(_solved_reward(np.where(mask, table, UNSEEN), table) < limit for mask in masks):
            low, high = (1.0 + 9.0 * generator.random(2)).tolist()
            return DialopGame(str(index), _grid(table), (_grid(masks[0]), _grid(masks[1])), (low, high))


def _solved_reward(view: NDArray[np.float64], table: NDArray[np.float64]) -> float:
    return float(table[linear_sum_assignment(view, maximize=True)].sum())


def player_view(game: DialopGame, player: int) -> NDArray[np.float64]:
    """Returns what a player sees `[8, 8]`: int(value x own scale), NaN where nothing is seen."""
    scaled = np.trunc(np.array(game.table) * game.scales[player])
    return np.where(np.array(game.masks[player], dtype=bool), scaled, np.nan)


def own_view_norms(game: DialopGame, n_draws: int, seed: int, fill: float = UNSEEN) -> tuple[float, float]:
    """Returns the mean norm of either player alone, who communicates nothing.

    The player solves the table seen, every unseen cell taken to be `fill`; among equally good assignments one is
    taken at random, by a noise below any difference of sums. Another rule for ties or for unseen cells gives another
    figure: first-index ties give 0.775 on the released games where this rule gives 0.834.

    Args:
        game: The game.
        n_draws: Assignments drawn per player.
        seed: Seed of the ties.
        fill: Value of an unseen cell.
    """
    table = np.array(game.table)
    best = assignment_reward(table, optimal_assignment(table))
    generator = stream_generator(seed, "dialop", "ties", game.id)
    means = []
    for mask in game.masks:
        view = np.where(np.array(mask, dtype=bool), table, fill).astype(float)
        rewards = [assignment_reward(table, optimal_assignment(view + tie_noise(generator))) for _ in range(n_draws)]
        means.append(float(np.mean(rewards)) / best)
    return means[0], means[1]


def random_norm(game: DialopGame) -> float:
    """Returns the expected norm of a random assignment: the table's sum / 8, over the optimum."""
    table = np.array(game.table)
    return float(table.sum()) / SIZE / assignment_reward(table, optimal_assignment(table))


def as_permutation(pairs: Sequence[Sequence[int]], size: int = SIZE) -> Pairs | None:
    """Returns an assignment in the order of its rows, or None unless each row and each column comes exactly once."""
    if any(len(pair) != 2 for pair in pairs):
        return None
    ordered = sorted((pair[0], pair[1]) for pair in pairs)
    is_full = [r for r, _ in ordered] == list(range(size)) and sorted(c for _, c in ordered) == list(range(size))
    return tuple(ordered) if is_full else None


def tie_noise(generator: np.random.Generator, size: int = SIZE) -> NDArray[np.float64]:
    """Returns noise `[size, size]` that picks among equally good assignments and changes no other choice.

    Sums of whole numbers are at least one apart, and `size` draws below 0.8 / size never add up to one.
    """
    return generator.random((size, size)) * (0.8 / size)


def _grid(array: NDArray[np.generic]) -> Grid:
    return tuple(tuple(int(value) for value in row) for row in array)


def _read_game(value: object, where: str, game_id: str) -> DialopGame:
    row = convert_record(value, _Row, where)
    for name, grid in (("table", row.table), ("mask1", row.mask1), ("mask2", row.mask2)):
        if len(grid) != SIZE or any(len(line) != SIZE for line in grid):
            raise DataError(f"{where}: {name}", "the grid is not 8 x 8", "8 rows of 8 numbers", "check the file")
    best = assignment_reward(np.array(row.table), optimal_assignment(np.array(row.table)))
    if best != row.best_assignment_reward:
        found = f"{row.best_assignment_reward}, but the table's optimum is {best}"
        raise DataError(f"{where}: best_assignment_reward", found, "the optimum of the table", "check the file")
    proposals = [action.proposal_ids for action in row.action_log if action.type == "proposal" and action.proposal_ids]
    human = as_permutation(proposals[-1]) if proposals else None
    n_messages = sum(action.type == "message" for action in row.action_log)
    return DialopGame(game_id, row.table, (row.mask1, row.mask2), (row.scale1, row.scale2), human, n_messages)
