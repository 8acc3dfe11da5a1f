"""InfoNav: a language-model seat whose talk is steered by a plan of the facts it needs. One LangGraph graph a turn.

    observe -> recall -> mark -> update -> speak -> conclude

* **observe** puts what the seat may see into words.
* **recall** (seats with a memory) asks the model what to look up, and looks it up; anew before every turn.
* **mark** (first turn) asks which facts the question needs; all start unknown.
* **update** (later turns) asks which of them are known now, and from which facts; a value that says "unknown" is fake,
  a second value for a known fact is a conflict, an id that the plan does not have is counted and never used.
* **speak** asks for the message: first answer the partner, then ask for what is open. Which facts it tells is read from
  the ids it puts in square brackets, and from facts it repeats word for word. Whether its side is complete (nothing
  open, no conflict) or stuck (nothing new for `patience` turns) is decided by the plan, not by the model.
* **conclude** (the final answer) sorts the plan by code: facts whose sources come from both sides are cross-checked,
  facts without a source unsupported, conflicts set aside; the model answers from that. The evidence is the plan's.

The seat's only state is its thoughts, in the log: `plan`, `recall`, `consensus`, `choice`, `repair`. With `plan: false`
it speaks and answers without a plan: the row *without InfoNav*.

Source: iAgents (arXiv 2406.14928); what differs, and why, is in `docs/agents/informative.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, TypedDict, TypeVar

from pydantic import Field

from tidings.agents import informative_words as words
from tidings.agents import prompts
from tidings.agents.elicitation import assemble, plan_questions, read_answer, read_probabilities
from tidings.agents.known_facts import KnownFact, find_task, known_facts
from tidings.agents.langgraph_seam import compile_graph
from tidings.agents.plan import Plan, last_plan, plan_words
from tidings.agents.recall import recall, recall_lines
from tidings.agents.shared_graph import SharedGraph, await_each, for_each
from tidings.agents.transcript import read_transcript
from tidings.agents.turn_calls import TurnCalls
from tidings.core import (
    ActionSpec,
    LanguageModel,
    ModelResponse,
    Observation,
    PromptMessage,
    Reply,
    ReplyError,
    ScenarioError,
    SeatContext,
    StructuredSpec,
    TextSpec,
)
from tidings.spec.base import Params

__all__ = ["InformativeAgent", "InformativeParams"]

T = TypeVar("T")
_MAX_SHOWN = 300


class InformativeParams(Params):
    """Settings of the agent `informative`."""

    plan: bool = True
    """Whether a plan steers the talk; without it this is the row `without InfoNav`."""
    max_facts: Annotated[int, Field(ge=1, le=20)] = 6
    """Facts in the plan, at most."""
    patience: Annotated[int, Field(ge=1)] = 2
    """Turns in a row without anything new, after which its side is stuck."""
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] = 0.2
    """Of the sampling."""
    max_tokens: Annotated[int, Field(ge=1)] = 256
    """Longest answer of one call, in tokens."""
    repairs: Annotated[int, Field(ge=0, le=10)] = 1
    """Further calls for an answer that cannot be used; then the turn fails."""
    max_events: Annotated[int, Field(ge=1)] = 200
    """Most lines of what the seat saw in a prompt."""
    max_chars: Annotated[int, Field(ge=1)] = 12_000
    """Most characters of these lines."""


@dataclass(frozen=True)
class InformativeAgent:
    """Asks a language model, steered by a plan."""

    params: InformativeParams
    context: SeatContext
    model: LanguageModel
    head: PromptMessage

    Params: ClassVar[type[Params]] = InformativeParams
    plays: ClassVar[tuple[str, ...]] = ("collaboration",)
    needs_model: ClassVar[bool] = True

    @classmethod
    def build(cls, params: InformativeParams, context: SeatContext) -> InformativeAgent:
        """Returns the agent.

        Raises:
            ScenarioError: If the seat has no model, or one that answers neither text nor JSON.
        """
        model = context.model
        if model is None:
            raise ScenarioError("model", f"the informative seat {context.seat!r} has none", "a name under models")
        if "text" not in model.kinds:
            raise ScenarioError("model", f"{model.name} answers {', '.join(sorted(model.kinds))}", "one with text")
        _graph()
        system = prompts.system_text(context.brief, context.seat, context.persona, {})
        return cls(params, context, model, PromptMessage("system", system))

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns what the seat says, or its final answer.

        Raises:
            ReplyError: If no answer of the model could be used; `not_applicable` for turns of other environments.
            ModelError: If a call failed for good.
            LimitError: If a cap of the run is reached.
        """
        if not isinstance(spec, StructuredSpec) or not {"say", "answer"} & set(spec.fields):
            raise ReplyError("not_applicable", "informative seats play the environment collaboration")
        return await _graph().play(_Turn(self, observation, spec), observation.rollout)


class _Turn:
    """A turn in progress."""

    def __init__(self, agent: InformativeAgent, observation: Observation, spec: StructuredSpec) -> None:
        self.agent, self.observation, self.spec = agent, observation, spec
        self.outcome: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.calls = TurnCalls(agent.model, observation)
        self.task = find_task(observation)
        self.plan = last_plan(observation) if agent.params.plan else None
        self.is_first = self.plan is None
        self.thoughts: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.text = ""

    @property
    def is_talk(self) -> bool:
        return "say" in self.spec.fields

    @property
    def is_json(self) -> bool:
        return "json" in self.agent.model.kinds

    def chat(self, request: str) -> list[PromptMessage]:
        """Returns the prompt that ends with this request."""
        plan = [] if self.plan is None else [plan_words(self.plan)]
        return [self.agent.head, PromptMessage("user", "\n\n".join([self.text, *plan, request]))]

    def facts(self) -> dict[str, KnownFact]:
        """Returns the facts known, what was looked up in this turn included."""
        known = known_facts(self.observation)
        for thought in self.thoughts:
            for x in thought.get("lines", ()):
                fact = KnownFact(x["fact"], x["text"], x["owner"], x["name"], x["time"], "recalled", None, -1, -1)
                known.setdefault(fact.id, fact)
        return known

    async def ask(self, messages: list[PromptMessage], **how: Any) -> ModelResponse:
        """Returns the model's answer."""
        params = self.agent.params
        return await self.calls.respond(
            messages, **{"max_tokens": params.max_tokens, "temperature": params.temperature, **how}
        )

    async def ask_until(self, request: str, read: Callable[[ModelResponse], T], **how: Any) -> T:
        """Returns what can be read from an answer; shows the model what is wrong with one that cannot be used."""
        messages = self.chat(request)
        while True:
            response = await self.ask(messages, **how)
            try:
                return read(response)
            except ReplyError as error:
                if len(self.errors) >= self.agent.params.repairs:
                    raise
                self.errors.append(error.kind)
                messages.append(PromptMessage("assistant", response.text.strip() or "(nothing)"))
                messages.append(PromptMessage("user", prompts.repair_text(error.message[:_MAX_SHOWN], request)))


class _State(TypedDict):
    turns: list[_Turn]


@cache
def _graph() -> SharedGraph[_Turn]:
    """Returns the graph; all seats share it."""
    names = {"observe": _observe, "recall": _recall, "mark": _mark, "update": _update}
    nodes = {name: _node(work) for name, work in {**names, "speak": _speak, "conclude": _conclude}.items()}
    order = list(nodes)
    return SharedGraph(compile_graph(_State, nodes, list(pairwise(order)), {}))


def _node(work: Callable[[_Turn], Any]) -> Callable[[_State], Awaitable[None]]:
    async def node(state: _State) -> None:
        if asyncio.iscoroutinefunction(work):
            await await_each(state["turns"], work)
        else:
            for_each(state["turns"], work)

    return node


def _observe(turn: _Turn) -> None:
    params = turn.agent.params
    transcript = read_transcript(
        turn.observation,
        turn.agent.context.describe,
        max_events=params.max_events,
        max_chars=params.max_chars,
        always_keep=("task", "fact"),
    )
    turn.text = prompts.transcript_text(*transcript)


async def _recall(turn: _Turn) -> None:
    memory = turn.agent.context.memory
    if memory is None:
        return
    found = await recall(
        turn.calls,
        turn.agent.model,
        memory,
        turn.observation,
        turn.chat(""),
        max_tokens=turn.agent.params.max_tokens,
    )
    turn.thoughts += found
    turn.text = f"{turn.text}\n\n{recall_lines(found)}"


async def _mark(turn: _Turn) -> None:
    if not turn.agent.params.plan or not turn.is_first:
        return
    n, question = turn.agent.params.max_facts, turn.task.get("question", "")
    how: dict[str, Any] = {"kind": "json", "schema": words.facts_schema(n)} if turn.is_json else {}
    texts = await turn.ask_until(
        words.ask_facts(question, n, is_json=turn.is_json), lambda response: words.read_facts(response, n), **how
    )
    turn.plan = Plan.of(texts)
    turn.thoughts.append(turn.plan.thought())


async def _update(turn: _Turn) -> None:
    if turn.plan is None or turn.is_first:
        return
    known = turn.facts()
    ids = [fact.id for fact in turn.plan.facts]
    how: dict[str, Any] = {"kind": "json", "schema": words.update_schema(ids)} if turn.is_json else {}
    values = await turn.ask_until(
        words.ask_update(ids, is_json=turn.is_json), lambda response: words.read_update(response, set(known)), **how
    )
    events = {fact.id: fact.event for fact in known.values()}
    turn.plan = turn.plan.update(values, events, heard_news=_has_news(turn, known))
    turn.thoughts.append(turn.plan.thought())


def _has_news(turn: _Turn, known: dict[str, KnownFact]) -> bool:
    own_turns = [event.step for event in turn.observation.private if event.kind == "reply"]
    since = own_turns[-1] if own_turns else -1
    earlier = {x["fact"] for e in turn.observation.private if e.kind == "thought" for x in e.data.get("lines", ())}
    return any(fact.step >= since or (fact.event < 0 and fact.id not in earlier) for fact in known.values())


async def _speak(turn: _Turn) -> None:
    if not turn.is_talk:
        return
    fields, known = turn.spec.fields, turn.facts()
    action: dict[str, Any] = {}
    if "to" in fields and (to := await turn.ask_until(*_ask_whom(turn))):
        action["to"] = to
    spec = fields["say"]
    assert isinstance(spec, TextSpec)
    say = await turn.ask_until(
        words.ask_message(turn.plan, action.get("to", "")),
        lambda response: words.read_message(response, spec),
        stop=("\n\n",),
    )
    action |= {"say": say, "side": _side(turn, known)}
    if cited := words.cited_ids(say, known):
        action["cites"] = ", ".join(cited)
    if "channel" in fields:
        action["channel"] = "direct" if "direct" in fields["channel"].options else fields["channel"].options[0]  # type: ignore[union-attr]
    _finish(turn, action)


def _ask_whom(turn: _Turn) -> tuple[str, Callable[[ModelResponse], str]]:
    """Returns the request for the names of those to write to, and how its answer is read."""
    contacts = list(turn.task.get("contacts", {}).values())
    talking = {name for event in turn.observation.private if event.kind == "message" for name in _names(event.data)}
    writers = [e for e in turn.observation.private if e.kind == "message" and e.seat != turn.observation.seat]
    request = words.ask_whom(contacts, [name for name in contacts if name in talking], turn.task.get("routes", ()))

    def read(response: ModelResponse) -> str:
        return words.read_names(response, contacts, is_needed=not writers)

    return request, read


def _names(data: dict[str, Any]) -> list[str]:
    return [data["name"], *data["to_names"]]


def _side(turn: _Turn, known: dict[str, KnownFact]) -> str:
    """Returns what the plan says of this side; without a plan, whether anything new was heard."""
    if turn.plan is None:
        n_turns = sum(event.kind == "reply" for event in turn.observation.private)
        return "stuck" if n_turns >= turn.agent.params.patience and not _has_news(turn, known) else "go on"
    if len(turn.plan.known) == len(turn.plan.facts):
        return "complete"
    return "stuck" if turn.plan.quiet >= turn.agent.params.patience else "go on"


async def _conclude(turn: _Turn) -> None:
    if turn.is_talk:
        return
    known = turn.facts()
    request = ""
    if turn.plan is not None:
        consensus = words.find_consensus(turn.plan, known)
        turn.thoughts.append({"about": "consensus", **consensus})
        request = words.consensus_words(turn.plan, consensus)
    spec = StructuredSpec({"answer": turn.spec.fields["answer"]}, turn.task.get("question", ""))
    answers: dict[tuple[str, ...], Any] = {}
    for question in plan_questions(spec, "auto", turn.agent.model.kinds, turn.observation.seed):
        text = "\n\n".join(part for part in (request, turn.task.get("question", ""), question.text) if part)
        max_tokens = question.max_tokens(turn.agent.params.max_tokens)
        if question.kind == "choice":
            how: dict[str, Any] = {"kind": "choice", "options": tuple(question.labels), "temperature": 1.0}
            response = await turn.ask(turn.chat(text), max_tokens=max_tokens, **how)
            draw = turn.observation.seed.uniform("choice", *question.path)
            option, thought = read_probabilities(question, response, turn.agent.params.temperature, draw)
            turn.thoughts.append(thought)
            answers[question.path] = question.value(option)
        else:
            how = {"kind": question.kind, "schema": question.schema, "max_tokens": max_tokens}
            answers[question.path] = await turn.ask_until(text, lambda given, q=question: read_answer(q, given), **how)
    action = {"answer": assemble(spec, answers)["answer"]}
    rests = turn.spec.fields.get("evidence")
    if turn.plan is not None and isinstance(rests, TextSpec):
        action["evidence"] = words.join_ids((s for f in turn.plan.known for s in f.sources), rests.max_chars)
    _finish(turn, action)


def _finish(turn: _Turn, action: dict[str, Any]) -> None:
    if turn.errors:
        turn.thoughts.append({"about": "repair", "n": len(turn.errors), "errors": turn.errors})
    turn.outcome.set_result(Reply(turn.spec.check(action), tuple(turn.thoughts)))
