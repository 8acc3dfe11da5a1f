"""The DialOp game as problems: private cells, one joint question, proposals read by our own parser.

The released text environment records positions in lists it shrinks and swaps reviewer and paper, so that its perfect
proposals score 0.57 on average; a proposal here names reviewers and papers, and only a full one counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidings.benchmarks.asymmetry.dialop_games import (
    SIZE,
    UNSEEN,
    DialopGame,
    Pairs,
    as_permutation,
    optimal_assignment,
    player_view,
)
from tidings.benchmarks.asymmetry.records import Gold, Person, PrivateItem, Problem, Question, Relation, TaskSet
from tidings.benchmarks.asymmetry.sources import file_sha256
from tidings.benchmarks.streams import Draws
from tidings.core.errors import ReplyError

__all__ = [
    "PAPERS",
    "REVIEWERS",
    "VERSION",
    "answer_from_items",
    "build_dialop",
    "merge_grids",
    "parse_proposal",
    "write_proposal",
]

VERSION = "dialop-1"
"""Version of the game generator: it changes whenever a game would come out differently."""

REVIEWERS = ("Ines", "Bashir", "Chiara", "Dumisani", "Eszter", "Farid", "Greta", "Hiroshi")
PAPERS = ("Anchor", "Beacon", "Cobalt", "Delta", "Ember", "Falcon", "Garnet", "Harbor")


def build_dialop(
    games: Sequence[DialopGame], source: Path | str | None = None, scaled: bool = True, seed: int = 0
) -> TaskSet:
    """Returns the games as problems: every seen cell is a private item of its player.

    Args:
        games: From `load_dialop` or `draw_game`.
        source: The file they came from; its hash becomes the version.
        scaled: Whether players see their numbers times their scale, as in the paper; without it the two sides'
            numbers compare.
        seed: Decides the order in which a player's cells are listed.
    """
    version = f"source:{file_sha256(source)}" if source is not None else VERSION
    problems = tuple(_build_problem(game, scaled, seed) for game in games)
    golds = tuple(
        Gold(f"dialop-{game.id}", "assignment", optimal_assignment(np.array(game.table)), (), game.table)
        for game in games
    )
    return TaskSet("dialop", "scaled" if scaled else "unscaled", seed, version, problems, golds)


def answer_from_items(question: Question, items: Iterable[PrivateItem]) -> Pairs | None:
    """Returns the best assignment a perfect reader of these items finds, or None without any item.

    The numbers of several players are brought to one scale by the ratio of their sums over the cells both see (over
    all their cells where they share none), a cell seen by several counts as their mean. A cell nobody sees is 50 when
    the question says the numbers compare, else the mean of all seen ones.
    """
    grids = _told_grids(items)
    if not grids:
        return None
    merged = merge_grids(list(grids.values()))
    fill = float(UNSEEN) if question.type == "dialop-unscaled" else float(np.nanmean(merged))
    return optimal_assignment(np.where(np.isnan(merged), fill, merged))


def write_proposal(pairs: Pairs) -> str:
    """Returns a proposal as JSON: reviewer -> paper."""
    return json.dumps({REVIEWERS[row]: PAPERS[column] for row, column in pairs})


def parse_proposal(proposal: str | Mapping[str, Any] | Sequence[Any]) -> Pairs:
    """Returns the assignment that a proposal names.

    Args:
        proposal: JSON, or what it decodes to: `{"Ines": "Anchor", ...}`, `[["Ines", "Anchor"], ...]`, either of them
            under one key such as `{"assignment": ...}`; names in any case, or numbers from 0.

    Raises:
        ReplyError: `unparsable` when it is not of this form, `unknown_name`, or `incomplete` when it is no full
            assignment: a partial proposal does not count.
    """
    value: Any = proposal
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise ReplyError("unparsable", f"proposal: not JSON at column {error.colno}") from None
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(next(iter(value.values())), (Mapping, list)):
        value = next(iter(value.values()))
    named = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(named, Sequence) or not all(isinstance(p, Sequence) and len(p) == 2 for p in named):
        raise ReplyError("unparsable", "proposal: expected reviewer -> paper, or pairs of them")
    pairs = as_permutation([(_position(r, REVIEWERS), _position(p, PAPERS)) for r, p in named])
    if pairs is None:
        raise ReplyError("incomplete", f"proposal: not one paper for each of the {SIZE} reviewers")
    return pairs


def _position(name: object, names: Sequence[str]) -> int:
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(names):
        return name
    folded = [known.casefold() for known in names]
    if isinstance(name, str) and name.strip().casefold() in folded:
        return folded.index(name.strip().casefold())
    raise ReplyError("unknown_name", f"proposal: found {name!r}; one of {', '.join(names)}")


def _build_problem(game: DialopGame, scaled: bool, seed: int) -> Problem:
    problem_id = f"dialop-{game.id}"
    people = (Person("player0", "Player 1"), Person("player1", "Player 2"))
    items: list[PrivateItem] = []
    for player, person in enumerate(people):
        draws = Draws(seed, "dialop", "order", game.id, player)
        view = player_view(game, player) if scaled else np.where(game.masks[player], np.array(game.table), np.nan)
        for row, column in draws.shuffled([(r, c) for r in range(SIZE) for c in range(SIZE)]):
            if not np.isnan(view[row, column]):
                text = f"The score of {REVIEWERS[row]} for {PAPERS[column]} is {int(view[row, column])}."
                items.append(PrivateItem(f"cell{player}-{row}-{column}", person.id, text, len(items)))
    evidence = tuple(tuple(item.fact for item in items if item.owner == person.id) for person in people)
    compare = "The two of you count in different units." if scaled else "The two of you count in the same unit."
    question = Question(
        id=problem_id,
        group=problem_id,
        type="dialop-scaled" if scaled else "dialop-unscaled",
        asked=("player0", "player1"),
        mode="pair",
        text=(
            f"Give each reviewer ({', '.join(REVIEWERS)}) one paper ({', '.join(PAPERS)}), each paper to one reviewer, "
            f"so that the sum of the scores is as high as possible. Each of you knows some of the scores. {compare}"
        ),
        evidence=evidence,
        n_hops=len(items),
    )
    return Problem(problem_id, people, tuple(items), (Relation("player0", "player1"),), (question,))


_ITEM = re.compile(rf"The score of ({'|'.join(REVIEWERS)}) for ({'|'.join(PAPERS)}) is (\d+)\.")


def _told_grids(items: Iterable[PrivateItem]) -> dict[str, NDArray[np.float64]]:
    grids: dict[str, NDArray[np.float64]] = {}
    for item in items:
        match = _ITEM.fullmatch(item.text)
        if match:
            grid = grids.setdefault(item.owner, np.full((SIZE, SIZE), np.nan))
            grid[REVIEWERS.index(match[1]), PAPERS.index(match[2])] = int(match[3])
    return grids


def merge_grids(grids: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Returns one table of what several players see, in the unit of the first, `[8, 8]`; NaN where nobody sees.

    The rule is that of `answer_from_items`.
    """
    first, *others = grids
    stack = [first]
    for grid in others:
        shared = ~np.isnan(first) & ~np.isnan(grid)
        ours, theirs = (first[shared], grid[shared]) if shared.any() else (first, grid)
        low = float(np.nanmean(theirs))
        stack.append(grid * (float(np.nanmean(ours)) / low if low > 0 else 1.0))
    known = np.array([~np.isnan(grid) for grid in stack])
    total = np.nansum(stack, axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
