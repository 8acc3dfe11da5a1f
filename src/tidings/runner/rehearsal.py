"""A turn gone through again with another past: the exact prompts it would have sent, and how likely its answer was.

The seat is asked with what it would have seen under an intervention, by the same code as in the run, and its model
gives the recorded answers whatever it is asked. So every agent that speaks through its model shows the prompts it would
have sent, each with its own earlier answers in it; nothing is rebuilt a second time, and nothing enters the run.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidings.core import (
    Agent,
    DataError,
    Event,
    LanguageModel,
    ModelError,
    ModelRequest,
    ModelResponse,
    Reply,
    SeatError,
    StatesPolicy,
)
from tidings.core.calls import RequestKind
from tidings.log.calls import CallRecord, CallStore
from tidings.models.guard import GuardParams
from tidings.runner.folder import RunFolder
from tidings.runner.fork import read_logged
from tidings.simulation.compile import compile_scenario
from tidings.simulation.interventions import SPOKEN, Intervention, edit_events
from tidings.simulation.play import Play, replies_of
from tidings.spec.io import read_scenario

__all__ = ["NoScoreError", "Rehearsal", "Score", "log_probability"]


class NoScoreError(Exception):
    """A turn has no log-probability; the text says why."""


@dataclass(frozen=True)
class Score:
    """How likely what a seat did was.

    Attributes:
        log_p: Natural logarithm of its probability; -inf if it was impossible.
        n_tokens: Tokens of the scored answers; 0 for a seat without a model.
        what: `message` if this is the probability of what others heard, `reply` if the answer has private parts too.
    """

    log_p: float
    n_tokens: int
    what: str


class _RecordedAnswers:
    """Stands in for a seat's model: gives the recorded answers of one turn, and notes what it is asked."""

    def __init__(self, name: str, kinds: frozenset[RequestKind]) -> None:
        self._name, self._kinds = name, kinds
        self.answers: Sequence[ModelResponse] = ()
        self.asked: list[ModelRequest] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def kinds(self) -> frozenset[RequestKind]:
        return self._kinds

    async def respond(self, request: ModelRequest) -> ModelResponse:
        if len(self.asked) == len(self.answers):
            raise ModelError("request", "the seat asks more than it did in the run")
        self.asked.append(request)
        return self.answers[len(self.asked) - 1]

    async def close(self) -> None:
        """Does nothing."""


class Rehearsal:
    """One logged rollout whose turns can be gone through again.

    Attributes:
        rollout: Its number.
        events: What happened.
    """

    def __init__(self, folder: RunFolder, rollout: int) -> None:
        """Reads the rollout and builds its seats, no model.

        Raises:
            DataError: If there is no such rollout.
        """
        self.rollout = rollout
        self.scenario = read_scenario(folder.scenario)
        self.events = read_logged(folder, rollout)
        known: Mapping[str, Any] = folder.read_json("manifest.json").get("models", {})
        self._models: dict[str, _RecordedAnswers] = {}
        self._params: dict[str, GuardParams] = {}

        def make(name: str, build: Callable[[], LanguageModel], settings: Mapping[str, Any]) -> LanguageModel:
            self._params[known[name]["id"]] = GuardParams.of(settings)
            model = _RecordedAnswers(known[name]["id"], frozenset(known[name]["kinds"]))
            return self._models.setdefault(name, model)

        self._compiled = compile_scenario(self.scenario, make)
        self._calls: dict[tuple[str, int], dict[int, CallRecord]] = {}
        for record in CallStore(folder.calls).records():
            key = record.request.key
            if key.rollout == rollout and record.response is not None:
                self._calls.setdefault((key.seat, key.step), {})[key.draw] = record
        self._turn = asyncio.Lock()

    @property
    def seats(self) -> tuple[str, ...]:
        """All seats."""
        return self._compiled.environment.seats

    def agent(self, seat: str) -> Agent:
        """Returns who sits there."""
        return self._compiled.agents[seat]

    def play(self, step: int, changes: Sequence[Intervention] = ()) -> Play:
        """Returns the rollout as it stood before a step, if the changes had been made and everybody did what it did."""
        environment, seed = self._compiled.environment, self._compiled.seed(self.rollout)
        play = Play(environment, seed, self.rollout, edit_events(changes, environment, seed, self.rollout))
        play.follow([event for event in self.events if event.step < step])
        return play

    def records(self, seat: str, step: int) -> list[CallRecord]:
        """Returns the recorded calls of one turn, in order."""
        return [record for _, record in sorted(self._calls.get((seat, step), {}).items())]

    async def requests(self, seat: str, step: int, changes: Sequence[Intervention] = ()) -> list[ModelRequest]:
        """Returns the exact requests the seat would have sent, its own recorded answers among them.

        Raises:
            NoScoreError: If it would have asked in another way.
        """
        play, records = self.play(step, changes), self.records(seat, step)
        spec = next((turn.spec for turn in play.due() if turn.seat == seat), None)
        if spec is None:
            raise NoScoreError(f"seat {seat!r} is not asked in step {step}")
        async with self._turn:
            for model in self._models.values():
                model.answers, model.asked = [r.response for r in records if r.response is not None], []
            try:
                await self.agent(seat).act(play.observe(seat), spec)
            except SeatError as error:
                raise NoScoreError(f"with another past the seat would not have asked the same ({error})") from None
            asked = [request for model in self._models.values() for request in model.asked]
        if len(asked) != len(records) or any(a.kind != r.request.kind for a, r in zip(asked, records, strict=True)):
            raise NoScoreError("with another past the seat would not have asked the same")
        return [self._params[record.model].apply(request) for request, record in zip(asked, records, strict=True)]

    async def check(self, seat: str, step: int) -> None:
        """Checks that the prompts of a turn come out as they were recorded, byte for byte.

        Raises:
            DataError: If not: then no prompt under a change can be trusted either.
        """
        found = await self.requests(seat, step)
        if found != [record.request for record in self.records(seat, step)]:
            where = f"rollout {self.rollout}, step {step}, seat {seat!r}"
            raise DataError(where, "its recorded prompt does not come out again", fix="was the code changed since?")

    async def score(
        self, seat: str, step: int, scorer: LanguageModel | None, changes: Sequence[Intervention] = ()
    ) -> Score:
        """Returns how likely what the seat did in a step would have been under some changes.

        A seat with a model: the sum over its calls of the log-probability of the recorded answer, at temperature 1,
        given the prompt it would have sent. A seat that states its policy: the exact probability of what others heard.

        Raises:
            NoScoreError: If there is none; the text says why.
        """
        records = self.records(seat, step)
        if not records:
            return self._score_policy(seat, step, changes)
        if scorer is None:
            raise NoScoreError(f"no scorer for seat {seat!r}")
        reply = replies_of([e for e in self.events if e.step == step])[seat]
        requests = await self.requests(seat, step, changes)
        picks = iter(_picks(reply, sum(request.kind == "choice" for request in requests)))
        asked = [
            _as_score(request, record, next(picks) if request.kind == "choice" else None)
            for request, record in zip(requests, records, strict=True)
        ]
        found = await asyncio.gather(*[log_probability(scorer, request, pick) for request, pick in asked])
        is_plain = len(records) == 1 and isinstance(reply.action, str)
        return Score(math.fsum(p for p, _ in found), sum(n for _, n in found), "message" if is_plain else "reply")

    def _score_policy(self, seat: str, step: int, changes: Sequence[Intervention]) -> Score:
        agent = self.agent(seat)
        if not isinstance(agent, StatesPolicy):
            raise NoScoreError(f"seat {seat!r} made no recorded call and states no policy")
        before = self.play(step, changes)
        spec = next(turn.spec for turn in before.due() if turn.seat == seat)
        said = _heard(self.events, seat, step)
        others = replies_of([e for e in self.events if e.step == step])
        p = 0.0
        for reply, probability in agent.policy(before.observe(seat), spec):
            happened = self.play(step, changes).advance({**others, seat: reply})
            p += probability * (_heard(happened, seat, step) == said)
        return Score(math.log(p) if p > 0 else -math.inf, 0, "message")


async def log_probability(scorer: LanguageModel, request: ModelRequest, pick: int | None) -> tuple[float, int]:
    """Returns the natural-log probability of a recorded answer, and its number of tokens.

    Args:
        scorer: The model that is asked.
        request: Of kind `score`, or of kind `choice` with
        pick: the position of the option that was chosen.

    Raises:
        NoScoreError: If the model gives none.
    """
    if request.kind not in scorer.kinds:
        known = ", ".join(sorted(scorer.kinds))
        raise NoScoreError(f"{scorer.name} answers {known}, not {request.kind}: it gives no log-probabilities of texts")
    try:
        response = await scorer.respond(request)
    except ModelError as error:
        raise NoScoreError(f"{scorer.name}: {error}") from None
    if pick is not None:
        p = (response.probabilities or ())[pick]
        return (math.log(p) if p > 0 else -math.inf), 1
    if response.extra.get("is_impossible"):
        return -math.inf, response.tokens_out
    if not response.logprobs:
        raise NoScoreError(f"{scorer.name} gave no log-probabilities")
    return math.fsum(response.logprobs), len(response.logprobs)


def _as_score(request: ModelRequest, record: CallRecord, pick: int | None) -> tuple[ModelRequest, int | None]:
    """Returns what to ask the scorer about a recorded answer; no seed, so that equal questions are asked once."""
    if pick is not None:
        return replace(request, temperature=1.0, top_p=1.0, seed=0), pick
    assert record.response is not None
    plain = ModelRequest(request.key, request.messages, "score", continuation=record.response.text)
    return plain, None


def _picks(reply: Reply, n_choices: int) -> list[int]:
    """Returns the position of the chosen option of each choice, from the thoughts that the seat left about them."""
    thoughts = [thought for thought in reply.thoughts if thought.get("about") == "choice"]
    if len(thoughts) != n_choices:
        raise NoScoreError("the seat left no thought that says which option it chose")
    return [_pick(thought, reply.action) for thought in thoughts]


def _pick(thought: Mapping[str, Any], action: Any) -> int:
    value = action
    for name in filter(None, str(thought["field"]).split(".")):
        value = value[name]
    for i, option in enumerate(thought["probabilities"]):
        if option == value or (isinstance(value, float) and _is_number(option, value)):
            return i
    raise NoScoreError(f"the seat did {value!r}, which is not among the options it was asked about")


def _is_number(text: str, value: float) -> bool:
    try:
        return float(text) == value
    except ValueError:
        return False


def _heard(events: Sequence[Event], seat: str, step: int) -> list[tuple[str, Any]]:
    """Returns what others heard of a seat in one step."""
    return [(e.kind, e.data) for e in events if e.step == step and e.seat == seat and e.kind in SPOKEN]
