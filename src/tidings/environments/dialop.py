"""The DialOp optimisation game: two people who each see a part of a table agree on an assignment of rows to columns.

Reviewers get one paper each. Turns alternate: the player chooses to say something or to propose a full assignment,
which the other accepts or rejects; acceptance ends the game. A proposal is picked reviewer by reviewer among the papers
that are left, so it is always a full assignment and nothing has to be parsed. The last turn must propose. The reward is
the sum of the assigned cells, its norm the share of the best sum of the whole table.

An item (`environment.items`) is `{"id", "table": [n][n], "masks": [2][n][n], "scales": [2], "reviewers": [n],
"papers": [n]}`. A player sees `int(value x own scale)` of the cells of the own mask; a cell that nobody sees counts
`unseen` in the table.

| event | audience | data |
|---|---|---|
| `question` | all | `text`, `first`: who begins |
| `gold` | nobody | `value` (best reward), `assignment`, `item` |
| `fact_declared` | nobody | as in `docs/design/003` |
| `fact` | the player who sees the cell | `fact`, `value`, `text` |
| `message` | both | `text`, `round` |
| `pick` | the player who proposes | `reviewer`, `paper` |
| `proposal` | both; alone: the player | `assignment` (reviewer -> paper), `round` |
| `response` | both | `accepted` |
| `outcome` | nobody | `status` (`agreed`, `alone`, `no_agreement`), `reward`; `norm` and `seat`, which may be null |

Source: Lin, Tomlin, Andreas, Eisner 2023, arXiv 2305.20076. Ours: the last turn must propose; who begins is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from tidings.core import (
    EVERYONE,
    NOBODY,
    ChoiceSpec,
    DataError,
    Event,
    Reply,
    RequestError,
    ScenarioError,
    SeedPath,
    SocialGraph,
    TextSpec,
    Transition,
    Turn,
    World,
    deliver,
)
from tidings.spec.base import Params
from tidings.spec.errors import validate
from tidings.theory.assignment import assignment_reward, optimal_assignment

__all__ = ["Dialop", "DialopItem", "DialopParams"]

MESSAGE, PROPOSE = "say something", "propose an assignment"
ACCEPT, REJECT = "accept", "reject"
_N_PLAYERS = 2
_P_VALUE = 0.01

Row = tuple[int, ...]
Grid = tuple[Row, ...]


class DialopParams(Params):
    """Settings of the environment `dialop`."""

    turns: Annotated[int, Field(ge=1)] = 12
    """Most turns of both players together; the last one must propose."""
    talk: bool = True
    """Whether they talk and agree; otherwise each player proposes alone and hears nothing."""
    information: Literal["private", "full"] = "private"
    """What a player sees: the own part of the table, or all that either sees, in plain numbers."""
    scaled: bool = True
    """Whether each player's numbers are in a unit of its own, as in the paper."""
    players: Annotated[int, Field(ge=1, le=2)] = 2
    """With `talk: false`: how many of the players propose; 1 is the single agent."""
    max_chars: Annotated[int, Field(ge=1)] = 600
    """Longest message, in characters."""


class DialopItem(Params):
    """A game."""

    id: str
    """Unique within the file."""
    group: str = ""
    """Games that belong together, for the analyst."""
    table: Grid
    """Rewards, reviewers x papers."""
    masks: tuple[Grid, Grid]
    """What each player sees: 1 or 0 for each cell."""
    scales: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
    """Factor of each player's numbers."""
    reviewers: tuple[str, ...]
    """Names of the rows."""
    papers: tuple[str, ...]
    """Names of the columns."""
    unseen: int = 50
    """What a cell counts that neither player sees, as the players are told."""

    def problem(self) -> str:
        """Returns what is wrong with the game as a whole; empty if nothing is."""
        n = len(self.table)
        for name, grid in (("table", self.table), ("masks.0", self.masks[0]), ("masks.1", self.masks[1])):
            if n < 2 or len(grid) != n or any(len(row) != n for row in grid):
                return f"{name}: the grid is not square; need {max(n, 2)} rows of as many numbers"
        for name, names in (("reviewers", self.reviewers), ("papers", self.papers)):
            if len(set(names)) != n:
                return f"{name}: found {len(set(names))} different names; need {n}"
        empty = [i for i in range(_N_PLAYERS) if not any(map(any, self.masks[i]))]
        return f"masks.{empty[0]}: this player sees no cell; need at least one" if empty else ""


class DialopState(NamedTuple):
    """Where a game stands.

    Attributes:
        item: Number of the item.
        first: Who begins: 0 or 1.
        turn: Turns begun.
        stage: What is asked next.
        picks: Papers chosen so far by each player who proposes, in the order of the reviewers.
    """

    item: int
    first: int
    turn: int
    stage: Literal["act", "say", "pick", "respond", "over"]
    picks: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Dialop:
    """Rules of the optimisation game."""

    params: DialopParams
    graph: SocialGraph
    items: tuple[DialopItem, ...]

    Params: ClassVar[type[Params]] = DialopParams

    @classmethod
    def build(cls, params: DialopParams, world: World) -> Dialop:
        """Returns the environment for two players.

        Raises:
            ScenarioError: If there are no items, a planner, or not two seats that hear each other.
            RequestError: If an item is malformed; the error names it.
        """
        if world.has_planner:
            raise ScenarioError("planner.kind", "the environment dialop has no planner's turn", "allowed: none")
        if len(world.graph.seats) != _N_PLAYERS or not world.graph.is_complete:
            found = f"{len(world.graph.seats)} seats, complete: {world.graph.is_complete}"
            raise ScenarioError("graph", found, "two seats that hear each other", "use {kind: complete, n: 2}")
        if not world.items:
            fix = "`tidings bench dialop` writes some from its generator"
            raise ScenarioError("environment.items", "found none", "a file with one game a line, or a list", fix)
        return cls(params, world.graph, tuple(_read_item(row, n) for n, row in enumerate(world.items, 1)))

    @property
    def seats(self) -> tuple[str, ...]:
        """Both players."""
        return self.graph.seats

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening: the question for both, and the cells that each player sees, in a drawn order."""
        number = rollout % len(self.items)
        item = self.items[number]
        best = optimal_assignment(item.table)
        gold = {"value": assignment_reward(item.table, best), "assignment": _named(item, [c for _, c in best])}
        first = int(seed.uniform("first") * _N_PLAYERS) if self.params.talk else 0
        question = {"text": self._question(item)} | ({"first": self.seats[first]} if self.params.talk else {})
        events = [Event("question", EVERYONE, question), Event("gold", NOBODY, {**gold, "item": item.id})]
        for player in range(self.params.players if not self.params.talk else _N_PLAYERS):
            cells = list(self._cells(item, player))
            seed.generator("cells", player).shuffle(cells)
            events += [event for cell in cells for event in cell]
        return Transition(self._next(DialopState(number, first, 0, "over", {})), tuple(events))

    def turns(self, state: DialopState) -> tuple[Turn, ...]:
        """Returns the turn of the player who is due; alone, of every player who proposes."""
        if state.stage == "over":
            return ()
        if state.stage == "pick":
            return tuple(Turn(seat, self._pick_spec(state, seat)) for seat in state.picks)
        seat = self.seats[self._player(state)]
        if state.stage == "act":
            return (Turn(seat, ChoiceSpec((MESSAGE, PROPOSE), "What do you do now?")),)
        if state.stage == "say":
            return (Turn(seat, TextSpec(self.params.max_chars, "What do you say to the other player?")),)
        other = self.seats[1 - self._player(state)]
        return (Turn(other, ChoiceSpec((ACCEPT, REJECT), "Do you accept this proposal? Accepting ends the game.")),)

    def apply(self, state: DialopState, replies: Mapping[str, Reply]) -> Transition:
        """Returns what follows: a message, a pick, a full proposal, the end. A player who failed loses the turn."""
        if not self.params.talk:
            return self._apply_alone(state, replies)
        ((seat, reply),) = replies.items()
        if state.stage == "respond":
            return self._respond(state, seat, reply)
        if reply.failure:
            return self._pass(state)
        if state.stage == "act":
            going = {seat: ()} if reply.action == PROPOSE else {}
            return Transition(state._replace(stage="pick" if going else "say", picks=going), ())
        if state.stage == "say":
            data = {"text": reply.action, "round": state.turn}
            return self._pass(state, (Event("message", deliver(self.graph, seat), data, seat),))
        item = self.items[state.item]
        picks, event = _pick(item, state.picks[seat], seat, reply.action)
        if len(picks) < len(item.papers):
            return Transition(state._replace(picks={seat: picks}), (event,))
        proposal = {"assignment": _named(item, picks), "round": state.turn}
        events = (event, Event("proposal", deliver(self.graph, seat), proposal, seat))
        return Transition(state._replace(stage="respond", picks={seat: picks}), events)

    def brief(self, seat: str) -> str:
        """Returns the rules in words."""
        goal = (
            "Each reviewer gets one paper, each paper one reviewer, and the sum of the scores of these pairs is to be "
            "as high as possible."
        )
        if not self.params.talk:
            return f"{goal} You decide alone, from the scores that you know."
        return (
            f"You and another player assign papers to reviewers. {goal} Each of you knows some of the scores. You take "
            "turns: say something, or propose a full assignment, which the other then accepts or rejects. The game "
            f"ends when a proposal is accepted; it has at most {self.params.turns} turns, and the last one "
            "must propose."
        )

    def describe(self, event: Event, seat: str) -> str:
        """Returns one line of words for what a seat may see."""
        who = "You" if event.seat == seat else "The other player"
        if event.kind in ("question", "fact"):
            return event.data["text"]
        if event.kind == "message":
            return f"{who} said: {event.data['text']}"
        if event.kind == "pick":
            return f"You give {event.data['reviewer']} the paper {event.data['paper']}."
        if event.kind == "proposal":
            pairs = ", ".join(f"{reviewer}: {paper}" for reviewer, paper in event.data["assignment"].items())
            return f"{who} proposed {pairs}"
        if event.kind == "response":
            return f"{who} {'accepted' if event.data['accepted'] else 'rejected'} the proposal."
        return ""

    def with_fact(self, event: Event, value: Any, seed: SeedPath, rollout: int) -> Event:
        """Returns the event as it would be if the score in it were this one.

        Raises:
            RequestError: If the value is no whole number.
        """
        if not isinstance(value, int) or isinstance(value, bool):
            raise RequestError("swap", f"{event.data['fact']} = {value!r}", "a score: a whole number")
        _, i, j = event.data["fact"].split("-")
        text = _score_text(self.items[rollout % len(self.items)], int(i), int(j), value)
        data = {**event.data, "value": value} | ({"text": text} if "text" in event.data else {"phrases": [text]})
        if value != event.data["value"]:
            data.pop("prior_p", None)  # only that of the true score is known
        return event._replace(data=data)

    def _question(self, item: DialopItem) -> str:
        units = ""
        if self.params.scaled and self.params.information == "private":
            units = (
                " Your numbers are in a unit of your own."
                + " The other player counts in another unit." * self.params.talk
            )
        elif self.params.information == "full" or not self.params.scaled:
            units = f" A score that nobody knows counts {item.unseen}."
        return f"Reviewers: {', '.join(item.reviewers)}. Papers: {', '.join(item.papers)}.{units}"

    def _cells(self, item: DialopItem, player: int) -> Iterable[tuple[Event, Event]]:
        """Yields the declaration and the gift of every cell that a player sees."""
        is_full, seat = self.params.information == "full", self.seats[player]
        scale = 1.0 if is_full or not self.params.scaled else item.scales[player]
        for i in range(len(item.reviewers)):
            for j in range(len(item.papers)):
                if not (item.masks[player][i][j] or (is_full and item.masks[1 - player][i][j])):
                    continue
                fact, value = f"cell{player}-{i}-{j}", int(item.table[i][j] * scale)
                text = _score_text(item, i, j, value)
                declared = {
                    "fact": fact,
                    "value": value,
                    "owners": [seat],
                    "visibility": ["*"],  # the other player may be told: that is what the talk is for
                    "prior_p": _P_VALUE,
                    "phrases": [text],
                    "variable": f"cell-{i}-{j}",
                }
                yield (
                    Event("fact_declared", NOBODY, declared),
                    Event("fact", (seat,), {"fact": fact, "value": value, "text": text}, seat),
                )

    def _player(self, state: DialopState) -> int:
        """Returns whose turn it is: 0 or 1."""
        return (state.first + state.turn - 1) % _N_PLAYERS

    def _next(self, state: DialopState) -> DialopState:
        """Returns the state at the beginning of the next turn, or the end."""
        turn = state.turn + 1
        if not self.params.talk:
            if turn > 1:
                return state._replace(stage="over")
            return state._replace(turn=turn, stage="pick", picks=dict.fromkeys(self.seats[: self.params.players], ()))
        if turn > self.params.turns:
            return state._replace(stage="over")
        after = state._replace(turn=turn, stage="act", picks={})
        if turn == self.params.turns:
            return after._replace(stage="pick", picks={self.seats[self._player(after)]: ()})
        return after

    def _pass(self, state: DialopState, events: tuple[Event, ...] = ()) -> Transition:
        after = self._next(state)
        if after.stage == "over":
            outcome = {"status": "no_agreement", "reward": None, "norm": None, "seat": None}
            events = (*events, Event("outcome", NOBODY, outcome))
        return Transition(after, events)

    def _respond(self, state: DialopState, seat: str, reply: Reply) -> Transition:
        if reply.failure:
            return self._pass(state)
        is_accepted = reply.action == ACCEPT
        event = Event("response", deliver(self.graph, seat), {"accepted": is_accepted}, seat)
        if not is_accepted:
            return self._pass(state, (event,))
        ((proposer, picks),) = state.picks.items()
        outcome = self._outcome(state, proposer, picks, "agreed")
        return Transition(state._replace(stage="over"), (event, outcome))

    def _apply_alone(self, state: DialopState, replies: Mapping[str, Reply]) -> Transition:
        """Returns the picks of a step; a player who failed drops out of this proposal."""
        item = self.items[state.item]
        events: list[Event] = []
        going: dict[str, tuple[int, ...]] = {}
        for seat, reply in replies.items():
            if reply.failure:
                continue
            picks, event = _pick(item, state.picks[seat], seat, reply.action)
            events.append(event)
            if len(picks) < len(item.papers):
                going[seat] = picks
                continue
            events.append(Event("proposal", (seat,), {"assignment": _named(item, picks), "round": state.turn}, seat))
            events.append(self._outcome(state, seat, picks, "alone"))
        after = state._replace(picks=going) if going else self._next(state)
        return Transition(after, tuple(events))

    def _outcome(self, state: DialopState, seat: str, picks: tuple[int, ...], status: str) -> Event:
        table = self.items[state.item].table
        reward = assignment_reward(table, tuple(enumerate(picks)))
        best = assignment_reward(table, optimal_assignment(table))
        norm = reward / best if best else None
        return Event("outcome", NOBODY, {"status": status, "reward": reward, "norm": norm, "seat": seat})

    def _pick_spec(self, state: DialopState, seat: str) -> ChoiceSpec:
        item, picks = self.items[state.item], state.picks[seat]
        left = tuple(paper for j, paper in enumerate(item.papers) if j not in picks)
        return ChoiceSpec(left, f"Your proposal: which paper does {item.reviewers[len(picks)]} get?")


def _pick(item: DialopItem, picks: tuple[int, ...], seat: str, paper: str) -> tuple[tuple[int, ...], Event]:
    """Returns the picks with one more, and with the last one where only one is left; and the event of the choice."""
    event = Event("pick", (seat,), {"reviewer": item.reviewers[len(picks)], "paper": paper}, seat)
    picks = (*picks, item.papers.index(paper))
    left = [j for j in range(len(item.papers)) if j not in picks]
    return (*picks, *left) if len(left) == 1 else picks, event


def _named(item: DialopItem, picks: Iterable[int]) -> dict[str, str]:
    return {reviewer: item.papers[j] for reviewer, j in zip(item.reviewers, picks, strict=True)}


def _score_text(item: DialopItem, i: int, j: int, value: int) -> str:
    return f"The score of {item.reviewers[i]} for {item.papers[j]} is {value}."


def _read_item(row: Mapping[str, Any], number: int) -> DialopItem:
    where = f"environment.items, item {number}"
    item = validate(DialopItem, dict(row), f"environment.items.{number - 1}")
    if problem := item.problem():
        raise DataError(f"{where} ({item.id})", problem)
    return item
