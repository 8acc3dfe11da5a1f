"""Deliberation: some seats answer a question, read each other along a graph that a planner draws, and answer again.

    planner: how many first answers -> answers -> planner: who reads whom, or stop -> answers -> ... -> one answer

Rollout r plays item r modulo their number. What a seat reads is what the graph of the round sends it and nothing else;
that graph may only use edges of the social graph. With a `new` edge the reader waits for its parent's new text and
reads it in the same round; with a `last` edge it reads what the parent said before. Readers who need not wait for each
other are asked at the same time.

| event | audience | data |
|---|---|---|
| `question` | all, planner | `id`, `kind`, `text`, `options`, `entry_point`, `answerers` |
| `gold` | nobody | `keys` as shown, `keys_source`, `order`, `tests` |
| `message` | its sender, those who read it, planner | `text`, `label`, `round`, `written`, `to` |
| `standing` | the seat | `text`: its own last answer, when it is asked to revise it |
| `round` | all, planner | `round`; `clears`: what earlier rounds said is not repeated in prompts |
| `ledger` | planner | for each answer `key`, `reason`, `psi`, `phi`; `failed`, `calls`, `depth` of the round |
| `plan` | planner | `edges`, `last_edges`, `order`, `schedule`, `stop`, `weights`, `choice` |
| `result` | nobody | the group's answer and how it came about |

A seat that fails on its first answer is left out from then on; one that fails later keeps its standing answer. Both are
counted. A planner that fails plans nothing more. Answers that cannot be read do not vote and are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tidings.core import (
    PLANNER,
    ChoiceSpec,
    EdgesSpec,
    Event,
    NumberSpec,
    Reply,
    ScenarioError,
    SeedPath,
    SocialGraph,
    StructuredSpec,
    TextSpec,
    Transition,
    Turn,
    World,
    deliver,
    suggest,
)
from tidings.core.events import NOBODY
from tidings.environments import deliberation_words as words
from tidings.environments.deliberation_items import Item, read_item
from tidings.environments.deliberation_state import (
    Aggregation,
    Answer,
    DeliberationState,
    Verdict,
    contributions,
    decide,
    ledger,
    read_reply,
)
from tidings.spec.base import Params
from tidings.theory.rounds import plan_round

__all__ = ["Deliberation", "DeliberationParams"]


class DeliberationParams(Params):
    """Settings of the environment `deliberation`."""

    rounds: Annotated[int, Field(ge=0, le=100)] = 2
    """Most rounds of reading after the first answers; a planner may stop earlier."""
    aggregation: Aggregation = "psi_vote"
    """How the answers become one: psi_vote, centroid, majority, last (speaker), or judge."""
    judge: str | None = None
    """Who chooses with aggregation judge: a seat that hears all others (it answers nothing itself), or planner."""
    shuffle_options: bool = True
    """Whether options are shown in an order drawn for each rollout; options such as `none of these` stay last."""
    max_chars: Annotated[int, Field(ge=1)] = 8000
    """Longest answer, in characters."""


@dataclass(frozen=True)
class Deliberation:
    """Rules of deliberation."""

    params: DeliberationParams
    graph: SocialGraph
    items: tuple[Item, ...]
    answerers: tuple[str, ...]
    has_planner: bool

    Params: ClassVar[type[Params]] = DeliberationParams

    @classmethod
    def build(cls, params: DeliberationParams, world: World) -> Deliberation:
        """Returns the environment on this graph.

        Raises:
            ScenarioError: If there are no items, one is malformed, or the judge is missing or does not hear all.
        """
        if not world.items:
            raise ScenarioError("environment.items", "missing", "need questions: a file or a list", "see docs")
        judge = _check_judge(params, world)
        answerers = tuple(seat for seat in world.graph.seats if seat != judge)
        if not answerers:
            raise ScenarioError("graph", "found no seat but the judge", "need one or more that answer")
        items = tuple(read_item(row, number) for number, row in enumerate(world.items))
        return cls(params, world.graph, items, answerers, world.has_planner)

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats; the planner last, if there is one."""
        return (*self.graph.seats, PLANNER) if self.has_planner else self.graph.seats

    def initial(self, seed: SeedPath, rollout: int) -> Transition:
        """Returns the opening: the question for all, its gold for nobody."""
        item = self.items[rollout % len(self.items)]
        question, gold = item.shown(seed, is_shuffled=self.params.shuffle_options)
        told = {
            "id": question.id,
            "kind": question.kind,
            "text": question.text,
            "options": list(question.options),
            "entry_point": question.entry_point,
            "answerers": list(self.answerers),
        }
        phase = "open" if self.has_planner else "sample"
        state = DeliberationState(question, seed, phase, len(self.answerers))
        return Transition(state, (Event("question", self._all, told), Event("gold", NOBODY, gold)))

    def turns(self, state: DeliberationState) -> tuple[Turn, ...]:
        """Returns the planner's turn, or those of all who can answer now; none when the group has its answer."""
        if state.phase == "open":
            most = len(self.answerers) * (1 + self.params.rounds)
            asked = NumberSpec(1, most, "How many independent first answers?", is_integer=True)
            return (Turn(PLANNER, StructuredSpec({"samples": asked})),)
        if state.phase == "plan":
            return (Turn(PLANNER, self._plan_spec(state)),)
        if state.phase == "judge":
            labels = tuple(answer.label for answer in state.answers)
            return (Turn(self._judge, ChoiceSpec(labels, words.ask_judge())),)
        kind = state.question.kind
        if state.phase == "sample":
            spec = TextSpec(self.params.max_chars, words.ask_first(kind))
            return tuple(Turn(seat, spec) for seat in self._wave(state))
        if state.phase == "revise":
            return tuple(Turn(seat, self._revision_spec(state, seat)) for seat in _speakers(state))
        return ()

    def apply(self, state: DeliberationState, replies: Mapping[str, Reply]) -> Transition:
        """Returns what follows from the replies."""
        if state.phase == "open":
            reply = replies[PLANNER]
            if reply.failure:
                return Transition(state._replace(phase="sample", n_failed=1), ())
            return Transition(state._replace(phase="sample", n_samples=int(reply.action["samples"])), ())
        if state.phase == "sample":
            return self._take_samples(state, replies)
        if state.phase == "plan":
            return self._take_plan(state, replies[PLANNER])
        if state.phase == "revise":
            return self._take_revisions(state, replies)
        return self._take_judgement(state, next(iter(replies.values())))

    def brief(self, seat: str) -> str:
        """Returns the rules in words."""
        return words.brief(seat, self.params.judge, self.params.rounds)

    def describe(self, event: Event, seat: str) -> str:
        """Returns one line of words for the events a seat may see."""
        return words.describe(event, seat)

    @property
    def _all(self) -> tuple[str, ...]:
        return ("*", PLANNER) if self.has_planner else ("*",)

    @property
    def _own(self) -> tuple[str, ...]:
        return (PLANNER,) if self.has_planner else NOBODY

    @property
    def _judge(self) -> str:
        return self.params.judge or PLANNER

    def _wave(self, state: DeliberationState) -> tuple[str, ...]:
        return self.answerers[: state.n_samples - state.n_asked]

    def _plan_spec(self, state: DeliberationState) -> StructuredSpec:
        nodes = tuple(answer.seat for answer in state.answers)
        has_rounds = state.round < self.params.rounds
        heard = None if self.graph.is_complete else frozenset(self.graph.edges())
        fields: dict[str, Any] = {"stop": ChoiceSpec(("no", "yes") if has_rounds else ("yes",), "Is it over?")}
        if has_rounds:
            new = "Whose new answer is read by whom in this round? [from, to]: the second waits for the first."
            last = "Whose last answer is read by whom? [from, to]: the second reads what the first said before."
            fields["new"] = EdgesSpec(nodes, new, heard, is_acyclic=True)
            fields["last"] = EdgesSpec(nodes, last, heard)
        counts = {seat: NumberSpec(-1, 1, f"How much does the answer of {seat} count?") for seat in nodes}
        fields["weights"] = StructuredSpec(counts)
        fields["choice"] = ChoiceSpec(nodes, "Whose answer would you give?")
        return StructuredSpec(fields, "", frozenset(fields) - {"stop"})

    def _revision_spec(self, state: DeliberationState, seat: str) -> TextSpec:
        assert state.steps is not None
        modes = {state.nodes[entry.agent]: entry.mode for entry in state.steps.schedule}
        asked = words.ask_revision(state.question.kind, has_read=modes[seat] == "read_parents")
        return TextSpec(self.params.max_chars, asked)

    def _message(self, state: DeliberationState, answer: Answer, readers: tuple[str, ...]) -> Event:
        """Returns an answer on its way to those who read it, and to nobody else."""
        data = {
            "text": answer.text,
            "label": answer.label,
            "round": state.round,
            "written": answer.round,
            "to": list(readers),
        }
        return Event("message", (*deliver(self.graph, answer.seat, readers), *self._own), data, answer.seat)

    def _take_samples(self, state: DeliberationState, replies: Mapping[str, Reply]) -> Transition:
        sample, answers, failed = state.n_asked // len(self.answerers), list(state.answers), list(state.failed)
        given = [
            read_reply(state.question, seat, sample, reply.action, 0)
            for seat, reply in replies.items()
            if not reply.failure
        ]
        failed += [seat for seat, reply in replies.items() if reply.failure]
        n_asked = state.n_asked + len(replies)
        state = state._replace(
            n_asked=n_asked,
            answers=(*answers, *given),
            failed=tuple(failed),
            n_calls=n_asked,
            speaker=given[-1].label if given else state.speaker,
        )
        events = tuple(self._message(state, answer, ()) for answer in given)
        if n_asked < state.n_samples:
            return Transition(state, events)
        return self._end_round(state, events)

    def _end_round(self, state: DeliberationState, events: tuple[Event, ...]) -> Transition:
        """Closes a round: its ledger, then the planner's turn or the group's answer."""
        state = state._replace(
            depth=state.depth + state.depth_of_round, n_failed=state.n_failed + len(state.failed), choice=None
        )
        events = (*events, Event("ledger", self._own, ledger(state)))
        can_plan = self.has_planner and state.answers and state.n_samples <= len(self.answerers)
        is_asked = state.round < self.params.rounds or self.params.aggregation in ("psi_vote", "centroid")
        if can_plan and is_asked:
            return Transition(state._replace(phase="plan", weights=None), events)
        return self._finish(state, events)

    def _take_plan(self, state: DeliberationState, reply: Reply) -> Transition:
        if reply.failure:
            return self._finish(state._replace(n_failed=state.n_failed + 1), ())
        action = reply.action
        state = state._replace(weights=action.get("weights"), choice=action.get("choice"))
        is_over = action["stop"] == "yes"
        plan = {
            "round": state.round if is_over else state.round + 1,
            "stop": is_over,
            "weights": action.get("weights"),
            "choice": action.get("choice"),
        }
        if is_over:
            return self._finish(state, (Event("plan", self._own, plan),))
        return self._begin_round(state, plan, action.get("new", []), action.get("last", []))

    def _begin_round(
        self, state: DeliberationState, plan: dict[str, Any], new: list[list[str]], last: list[list[str]]
    ) -> Transition:
        """Returns the round's plan, what is read at its beginning, and who speaks first."""
        nodes = tuple(answer.seat for answer in state.answers)
        place = {seat: i for i, seat in enumerate(nodes)}
        weights = state.weights
        psi = contributions(state.answers)[0] if weights is None else [weights[seat] for seat in nodes]
        pairs = [[(place[u], place[v]) for u, v in edges] for edges in (new, last)]
        steps = plan_round(len(nodes), pairs[0], pairs[1], psi)
        plan |= {
            "edges": new,
            "last_edges": last,
            "order": [nodes[i] for i in steps.order],
            "schedule": [
                {"seat": nodes[e.agent], "mode": e.mode, "reads": [nodes[i] for i in e.reads]} for e in steps.schedule
            ],
        }
        readers = {seat: tuple(v for u, v in new if u == seat) for seat in nodes}
        state = state._replace(
            phase="revise",
            round=state.round + 1,
            nodes=nodes,
            steps=steps,
            readers=readers,
            level=0,
            failed=(),
            n_before=state.n_calls,
        )
        begun = Event("round", self._all, {"round": state.round, "clears": ["message", "standing"]})
        is_silent = {nodes[e.agent] for e in steps.schedule if e.mode == "skip"}
        messages = []
        for answer in state.answers:
            old = {v for u, v in last if u == answer.seat} | set(
                readers[answer.seat] if answer.seat in is_silent else ()
            )
            if old:
                messages.append(self._message(state, answer, tuple(seat for seat in nodes if seat in old)))
        return Transition(state, (Event("plan", self._own, plan), begun, *messages, *_standing(state)))

    def _take_revisions(self, state: DeliberationState, replies: Mapping[str, Reply]) -> Transition:
        """Puts new answers in the place of old ones and sends them on; a seat that failed sends what stands."""
        answers = {answer.seat: answer for answer in state.answers}
        for seat, reply in replies.items():
            if not reply.failure:
                answers[seat] = read_reply(state.question, seat, 0, reply.action, state.round)
        failed = [seat for seat, reply in replies.items() if reply.failure]
        state = state._replace(
            answers=tuple(answers.values()),
            failed=(*state.failed, *failed),
            n_calls=state.n_calls + len(replies),
            level=state.level + 1,
            speaker=[*replies][-1],
        )
        events = tuple(self._message(state, answers[seat], state.readers[seat]) for seat in replies)
        assert state.steps is not None
        if state.level < state.steps.depth:
            return Transition(state, (*events, *_standing(state)))
        return self._end_round(state, events)

    def _finish(self, state: DeliberationState, events: tuple[Event, ...]) -> Transition:
        """Returns the group's answer, or the judge's turn."""
        if self.params.aggregation != "judge" or not state.answers:
            return self._result(state, decide(state, self.params.aggregation), events)
        sent: tuple[Event, ...] = ()
        if self._judge != PLANNER:
            sent = tuple(self._message(state, answer, (self._judge,)) for answer in state.answers)
        return Transition(state._replace(phase="judge"), (*events, *sent))

    def _take_judgement(self, state: DeliberationState, reply: Reply) -> Transition:
        n_voters = sum(answer.key is not None for answer in state.answers)
        state = state._replace(n_calls=state.n_calls + 1, depth=state.depth + 1)
        if reply.failure:
            state = state._replace(n_failed=state.n_failed + 1)
            return self._result(state, Verdict(None, None, "judge_failed", n_voters), ())
        chosen = next(answer for answer in state.answers if answer.label == reply.action)
        return self._result(state, Verdict(chosen.label, chosen.key, "judge", n_voters), ())

    def _result(self, state: DeliberationState, verdict: Verdict, events: tuple[Event, ...]) -> Transition:
        data = {
            **verdict._asdict(),
            "n_answers": len(state.answers),
            "n_unparsable": sum(answer.reason is not None for answer in state.answers),
            "n_failed": state.n_failed,
            "calls": state.n_calls,
            "depth": state.depth,
            "rounds": state.round,
        }
        return Transition(state._replace(phase="over"), (*events, Event("result", NOBODY, data)))


def _speakers(state: DeliberationState) -> tuple[str, ...]:
    assert state.steps is not None
    return tuple(state.nodes[agent] for agent in state.steps.levels[state.level])


def _standing(state: DeliberationState) -> tuple[Event, ...]:
    """Returns for each seat that is asked next its own last answer."""
    texts = {answer.seat: answer.text for answer in state.answers}
    return tuple(Event("standing", (seat,), {"text": texts[seat]}, seat) for seat in _speakers(state))


def _check_judge(params: DeliberationParams, world: World) -> str | None:
    """Returns the seat that judges.

    Raises:
        ScenarioError: If there is none where one is needed, or it cannot hear everybody.
    """
    judge, seats = params.judge, world.graph.seats
    if (judge is not None) != (params.aggregation == "judge"):
        found = f"found {judge!r} with aggregation {params.aggregation}"
        raise ScenarioError("environment.judge", found, "a seat or `planner`, with aggregation judge and only then")
    if judge is None or (judge == PLANNER and world.has_planner):
        return judge
    if judge not in seats:
        found = f"found {judge!r}" + (", but nobody plans" if judge == PLANNER else "")
        raise ScenarioError("environment.judge", found, f"a seat: {', '.join(seats)}", suggest(judge, seats))
    if deaf := [seat for seat in seats if seat != judge and seat not in world.graph.hears(judge)]:
        raise ScenarioError("environment.judge", f"{judge} does not hear {deaf[0]}", "it must hear all who answer")
    return judge
