"""The suite `dialop`: two players who see parts of a table agree on an assignment; own games or the released ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import ceil, nan
from pathlib import Path
from typing import Any

import numpy as np

from tidings.benchmarks.asymmetry.data_source import find_data
from tidings.benchmarks.asymmetry.dialop import PAPERS, REVIEWERS, VERSION
from tidings.benchmarks.asymmetry.dialop_games import (
    SIZE,
    DialopGame,
    draw_game,
    load_dialop,
    own_view_norms,
    random_norm,
    tie_noise,
)
from tidings.benchmarks.asymmetry.suite import (
    CombineRollouts,
    Item,
    PlaySpec,
    RolloutScore,
    RowSpec,
    ScoreRollout,
    SetPlan,
    SuiteOptions,
    SymbolicRow,
    suite_options,
)
from tidings.benchmarks.asymmetry.tables import AsymmetryReport, run_plans
from tidings.benchmarks.streams import stream_generator
from tidings.core import DataError, Event
from tidings.theory.assignment import assignment_reward, optimal_assignment

__all__ = ["game_items", "plan_dialop", "run_dialop"]

NAME = "dialop"
TURNS, FULL_TURNS = 6, 20
"""Most turns of a game in the quick suite, and in the full one."""

_TERMS = "DialOp is under CDLA-Permissive-2.0, whose text must travel along with the data"
_PLAYERS = "tidings.benchmarks.asymmetry.dialop_players"
_OWN_VIEW_DRAWS = 20


def run_dialop(
    model: str | None,
    out: Path,
    *,
    is_full: bool,
    data: str | None = None,
    seeds: int | None = None,
    items: int | None = None,
) -> AsymmetryReport:
    """Lets two players with partial views agree on an assignment (DialOp); own games, or the released ones by --data.

    Args:
        model: Language model as `provider/model`; without one only scripted players play.
        out: Folder of the suite.
        is_full: Whether to take 300 games (all of a file) of up to 20 turns.
        data: An `optimization.jsonl` in DialOp's format, its folder, or `hf:owner/name`.
        seeds: Plays of each game.
        items: Number of games.

    Raises:
        RequestError: If the data, the model or a number cannot be used.
    """
    options = suite_options(model, out, is_full=is_full, data=data, seeds=seeds, items=items)
    plan, notes = plan_dialop(options)
    return run_plans(NAME, [plan], out, notes, announce=is_full and model is not None)


def plan_dialop(options: SuiteOptions) -> tuple[SetPlan, list[str]]:
    """Returns the set that these options ask for, and what a reader must know."""
    notes: list[str] = []
    if options.data is not None:
        file = find_data(options.data, ("optimization.jsonl", "*.jsonl"), "a DialOp optimization file (JSON lines)")
        games = load_dialop(file.path)[: options.n_items]
        about = file.about()
        notes.append(file.notice(_TERMS))
    else:
        games = tuple(draw_game(0, i) for i in range(options.n_items or 1))
        digest = sha256(repr(games).encode()).hexdigest()
        about = {"source": f"generator {VERSION}, seed 0", "SHA-256 of the games": digest}
    for game in games:
        for player, mask in enumerate(game.masks):
            if not any(map(any, mask)):
                raise DataError(f"game {game.id}", f"player {player} sees no cell", "at least one", "check the file")
    if options.model is None:
        notes.append("No --model was given: only scripted players play.")
    return _plan(options, games, about), notes


def game_items(games: Sequence[DialopGame]) -> tuple[Item, ...]:
    """Returns games as items of the environment `dialop`."""
    return tuple(
        {
            "id": f"dialop-{game.id}",
            "group": f"dialop-{game.id}",
            "table": [list(row) for row in game.table],
            "masks": [[list(row) for row in mask] for mask in game.masks],
            "scales": list(game.scales),
            "reviewers": list(REVIEWERS),
            "papers": list(PAPERS),
        }
        for game in games
    )


def _plan(options: SuiteOptions, games: Sequence[DialopGame], about: Mapping[str, str]) -> SetPlan:
    turns = FULL_TURNS if options.is_full else TURNS
    plays: list[PlaySpec] = []
    rows: list[RowSpec] = []
    if options.model is not None:
        # A game that uses all its turns: a choice and a message each, then the picks of a proposal and an answer.
        n_alone = ceil((2 * (turns - 1) + SIZE) / (SIZE - 1))
        agent = {"kind": "llm", "model": "m", "temperature": 0.7, "max_tokens": 160}
        plays += [
            _play("talk", agent, options.model, turns=turns),
            _play("alone", agent, options.model, n_alone, talk=False),
            _play("pooled", agent, options.model, n_alone, talk=False, players=1, information="full"),
        ]
        rows += [
            RowSpec("no communication", "alone", _alone(0), "the first player alone"),
            RowSpec("partner alone", "alone", _alone(1), "the second player alone"),
            RowSpec("full", "talk", _agreed, f"the agreed assignment, at most {turns} turns"),
            RowSpec("alone, equal calls", "alone", _alone(0), f"consensus of {n_alone} own proposals", _consensus(0)),
            RowSpec("full information", "pooled", _alone(0), "one agent that sees both views"),
            RowSpec(
                "full information, equal calls", "pooled", _alone(0), f"consensus of {n_alone} such", _consensus(0)
            ),
        ]
    own, tell, guess = (_scripted(name) for name in ("own_view", "tell_all", "random_assignment"))
    plays += [
        _play("scripted-random", guess, None, talk=False, players=1),
        _play("scripted-own", own, None, talk=False, scaled=False),
        _play("scripted-full", tell, None, turns=3, scaled=False, max_chars=4000),
        _play("scripted-scaled", tell, None, turns=3, max_chars=4000),
    ]
    rows += [
        RowSpec("scripted, random", "scripted-random", _alone(0), "a random assignment"),
        RowSpec("scripted, own view", "scripted-own", _alone(None), "best in the own view, unseen = 50; both players"),
        RowSpec("scripted, full", "scripted-full", _agreed, "both tell all they see, in the same unit"),
        RowSpec("scripted, full, own units", "scripted-scaled", _agreed, "the same in units of their own"),
    ]
    has_model = options.model is not None
    return SetPlan(
        name="released" if options.data else "generated",
        items=game_items(games),
        plays=tuple(plays),
        rows=tuple(rows),
        symbolic=_symbolic(games),
        floor="no communication" if has_model else "scripted, own view",
        ceiling="full information" if has_model else "scripted, full",
        full="full" if has_model else "scripted, full",
        measure="reward of the assignment over that of the best one",
        about=about,
        n_seeds=options.n_seeds,
    )


def _scripted(name: str) -> dict[str, Any]:
    return {"kind": "scripted", "function": f"{_PLAYERS}:{name}"}


def _play(name: str, agent: Mapping[str, Any], model: str | None, repeats: int = 1, **settings: Any) -> PlaySpec:
    models = {} if model is None else {"models": {"m": {"use": model}}}
    scenario = {
        "graph": {"kind": "complete", "n": 2},
        "agents": [{**agent, "nodes": "rest"}],
        "environment": {"kind": NAME, **settings},
        **models,
    }
    return PlaySpec(name, scenario, repeats)


def _symbolic(games: Sequence[DialopGame]) -> tuple[SymbolicRow, ...]:
    own = {f"dialop-{game.id}": sum(own_view_norms(game, _OWN_VIEW_DRAWS, 0)) / 2 for game in games}
    rows = [
        SymbolicRow("constant", {f"dialop-{g.id}": random_norm(g) for g in games}, "expected of any fixed assignment"),
        SymbolicRow("solver, own view", own, "exact solver of one view, unseen = 50, ties random"),
        SymbolicRow("solver, both views", {f"dialop-{g.id}": _pooled_norm(g) for g in games}, "exact solver of both"),
    ]
    people = {f"dialop-{game.id}": _norm(game, game.human_pairs) for game in games if game.human_pairs}
    return (*rows, SymbolicRow("people", people, "the two people who played this game")) if people else tuple(rows)


def _pooled_norm(game: DialopGame) -> float:
    seen = np.array(game.masks, dtype=bool).any(axis=0)
    return _norm(game, optimal_assignment(np.where(seen, np.array(game.table), 50)))


def _norm(game: DialopGame, pairs: Any) -> float:
    best = assignment_reward(game.table, optimal_assignment(game.table))
    return assignment_reward(game.table, pairs) / best if best else nan


def _agreed(item: Item, events: Sequence[Event]) -> RolloutScore:
    """Returns the norm of the assignment that was agreed on."""
    outcome = next((e.data for e in events if e.kind == "outcome"), None)
    if outcome is None or outcome["norm"] is None:
        return RolloutScore.failed("no_agreement", "turns used up")
    return RolloutScore(outcome["norm"], stop="agreed")


def _alone(player: int | None) -> ScoreRollout:
    """Returns the score of one player's own proposal, or the mean of both for None."""

    def score(item: Item, events: Sequence[Event]) -> RolloutScore:
        wanted = tuple(_seats(events)[slice(None) if player is None else slice(player, player + 1)])
        norms = [e.data["norm"] for e in events if e.kind == "outcome" and e.data["seat"] in wanted]
        norms = [norm for norm in norms if norm is not None]
        failures = [e.data for e in events if e.kind == "failure" and e.seat in wanted]
        if not norms:
            failure = f"{failures[0]['boundary']}/{failures[0]['error']}" if failures else "empty"
            return RolloutScore(nan, failure, seats=wanted)
        return RolloutScore(sum(norms) / len(norms), n_failed=len(failures), stop="no talk", seats=wanted)

    return score


def _consensus(player: int) -> CombineRollouts:
    """Returns the score of the assignment that has most votes of a player's proposals, cell by cell.

    It is the assignment of the highest number of votes in all; ties are broken at random.
    """

    def combine(item: Item, plays: Sequence[Sequence[Event]]) -> RolloutScore:
        votes = np.zeros((SIZE, SIZE))
        n_proposals = 0
        seat = _seats(plays[0])[player]
        for events in plays:
            for event in events:
                if event.kind == "proposal" and event.seat == seat:
                    n_proposals += 1
                    for reviewer, paper in event.data["assignment"].items():
                        votes[item["reviewers"].index(reviewer), item["papers"].index(paper)] += 1
        if not n_proposals:
            return RolloutScore(nan, "empty", seats=(seat,))
        table, noise = item["table"], tie_noise(stream_generator("dialop-consensus", item["id"]))
        best = assignment_reward(table, optimal_assignment(table))
        value = assignment_reward(table, optimal_assignment(votes + noise)) / best if best else nan
        n_failed = len(plays) - n_proposals
        return RolloutScore(value, "" if best else "undefined", n_failed, "no talk", seats=(seat,))

    return combine


def _seats(events: Sequence[Event]) -> list[str]:
    """Returns the seats that were given facts, in seat order."""
    return list(dict.fromkeys(e.seat for e in events if e.kind == "fact" and e.seat))
