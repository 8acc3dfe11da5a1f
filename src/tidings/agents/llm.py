"""A seat that a language model holds. Each turn goes through one LangGraph graph.

    observe -> (recall) -> (reason) -> decide -> end
                             ^  |  an answer that cannot be used
                             |  v
                            repair          at most `repairs` times a turn

* **observe** puts what the seat may see into words and adds its own earlier thoughts, within `max_events` lines and
  `max_chars` characters; the prompt says how many lines were left out.
* **recall** (seats with a memory) asks the model what to look up in what was said before, and looks it up.
* **reason** (with `reasoning: true`) asks for a few sentences of free text; they are kept as a thought.
* **decide** asks for the action as its spec wants it (`tidings.agents.elicitation`) and reads the answer
  (`tidings.agents.parsing`).
* **repair** shows the model its answer and what is wrong with it. When `repairs` are spent the turn fails with the last
  `ReplyError`: there is no default action.

Seats that are due in the same step share one run of the graph (`tidings.agents.shared_graph`).

Thoughts, by `about`: `recall` (`asked`, `lines`), `reasoning` (`text`), `choice` (`field`, `probabilities`, `mass`),
`repair` (`n`, `errors`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, TypedDict

from pydantic import Field

from tidings.agents import prompts
from tidings.agents.elicitation import (
    Elicit,
    Question,
    assemble,
    check_elicit,
    plan_questions,
    read_answer,
    read_probabilities,
)
from tidings.agents.langgraph_seam import compile_graph, jump
from tidings.agents.recall import recall, recall_lines
from tidings.agents.shared_graph import SharedGraph, await_each, for_each
from tidings.agents.transcript import REASONING, read_transcript
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
)
from tidings.spec.base import Params

__all__ = ["LLMAgent", "LLMParams"]

_MAX_MESSAGE = 300


class LLMParams(Params):
    """Settings of the agent `llm`."""

    reasoning: bool = False
    """Whether the model first thinks in a few sentences of free text; one more call a turn."""
    elicit: Elicit = "auto"
    """How the action is asked for: json (by schema), text, choice (exact probabilities), or what the model can."""
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] = 0.0
    """Of the sampling; 0 takes the most probable answer."""
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Nucleus mass of the sampling."""
    max_tokens: Annotated[int, Field(ge=1)] = 256
    """Longest answer, in tokens."""
    reasoning_tokens: Annotated[int, Field(ge=1)] = 160
    """Longest reasoning, in tokens; it may be cut there."""
    repairs: Annotated[int, Field(ge=0, le=10)] = 2
    """Further calls a turn after answers that cannot be used; then the turn fails."""
    max_events: Annotated[int, Field(ge=1)] = 200
    """Most lines of what the seat saw and thought in a prompt."""
    max_chars: Annotated[int, Field(ge=1)] = 12_000
    """Most characters of these lines."""
    always_keep: tuple[str, ...] = ("signal", "fact")
    """Kinds of events that are left out last when not all lines fit."""
    shuffle_options: bool = True
    """Whether options are shown in an order drawn anew for each turn."""
    label_options: bool = True
    """Whether the model answers a choice with a label (A, B, ...) instead of the option's own words."""


@dataclass(frozen=True)
class LLMAgent:
    """Asks a language model what to do."""

    params: LLMParams
    context: SeatContext
    model: LanguageModel
    head: PromptMessage

    Params: ClassVar[type[Params]] = LLMParams
    needs_model: ClassVar[bool] = True

    @classmethod
    def build(cls, params: LLMParams, context: SeatContext) -> LLMAgent:
        """Returns the agent.

        Raises:
            ScenarioError: If the seat has no model, or its model cannot be asked in the way `elicit` says.
        """
        model = context.model
        if model is None:
            raise ScenarioError("model", f"the llm seat {context.seat!r} has none", "need a name defined under models")
        check_elicit(params.elicit, model.kinds, model.name)
        _turn_graph(params.reasoning, context.memory is not None)
        words = prompts.system_text(context.brief, context.seat, context.persona, context.planner)
        return cls(params, context, model, PromptMessage("system", words))

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the model's action, with its reasoning, the exact choice probabilities and repairs as thoughts.

        Raises:
            ReplyError: If no answer could be used; its kind is that of the last one.
            ModelError: If a call failed for good.
            LimitError: If a cap of the run is reached.
        """
        turn = _Turn(self, observation, spec)
        graph = _turn_graph(self.params.reasoning, self.context.memory is not None)
        return await graph.play(turn, observation.rollout)


class _Turn:
    """A turn in progress. Only the node that works on it touches it."""

    __slots__ = (
        "agent",
        "answers",
        "calls",
        "errors",
        "messages",
        "observation",
        "outcome",
        "problem",
        "questions",
        "spec",
        "thoughts",
    )

    def __init__(self, agent: LLMAgent, observation: Observation, spec: ActionSpec) -> None:
        self.agent, self.observation, self.spec = agent, observation, spec
        self.outcome: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.calls = TurnCalls(agent.model, observation)
        self.messages: list[PromptMessage] = []
        self.questions: tuple[Question, ...] = ()
        self.answers: dict[tuple[str, ...], Any] = {}
        self.thoughts: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.problem: tuple[str, ReplyError] | None = None

    @property
    def question(self) -> Question:
        """The question that is open."""
        return self.questions[len(self.answers)]

    def say(self, role: str, text: str) -> None:
        """Adds to the chat; what follows a message of the same role joins it, as chat templates want."""
        if self.messages[-1].role == role:
            text = f"{self.messages.pop().content}\n\n{text}"
        self.messages.append(PromptMessage(role, text))

    async def ask(self, **how: Any) -> ModelResponse:
        """Returns the model's answer to the chat so far."""
        params = self.agent.params
        how = {"max_tokens": params.max_tokens, "temperature": params.temperature, "top_p": params.top_p, **how}
        return await self.calls.respond(tuple(self.messages), **how)


class _State(TypedDict):
    turns: list[_Turn]


@lru_cache(maxsize=4)
def _turn_graph(has_reasoning: bool, has_memory: bool) -> SharedGraph[_Turn]:
    """Returns the graph; all seats of one form share it."""
    nodes = {"observe": _observe, "recall": _recall, "reason": _reason, "decide": _decide}
    left_out = {"recall": not has_memory, "reason": not has_reasoning}
    nodes = {name: node for name, node in nodes.items() if not left_out.get(name)}
    order = list(nodes)
    edges = [*pairwise(order), ("repair", "decide")]
    return SharedGraph(compile_graph(_State, {**nodes, "repair": _repair}, edges, {"decide": ("repair",)}))


async def _observe(state: _State) -> None:
    for_each(state["turns"], _observe_one)


async def _recall(state: _State) -> None:
    await await_each(state["turns"], _recall_one)


async def _reason(state: _State) -> None:
    await await_each(state["turns"], _reason_one)


async def _decide(state: _State) -> Any:
    turns = state["turns"]
    await await_each(turns, _decide_one)
    return None if all(turn.outcome.done() for turn in turns) else jump("repair")


async def _repair(state: _State) -> None:
    for_each(state["turns"], _repair_one)


def _observe_one(turn: _Turn) -> None:
    agent, params = turn.agent, turn.agent.params
    transcript = read_transcript(
        turn.observation,
        agent.context.describe,
        max_events=params.max_events,
        max_chars=params.max_chars,
        always_keep=params.always_keep,
    )
    seed = turn.observation.seed if params.shuffle_options else None
    turn.messages = [agent.head, PromptMessage("user", prompts.transcript_text(*transcript))]
    kinds, has_labels = agent.model.kinds, params.label_options
    turn.questions = plan_questions(turn.spec, params.elicit, kinds, seed, has_labels=has_labels)


async def _recall_one(turn: _Turn) -> None:
    agent, memory = turn.agent, turn.agent.context.memory
    assert memory is not None
    found = await recall(
        turn.calls, agent.model, memory, turn.observation, turn.messages, max_tokens=agent.params.max_tokens
    )
    turn.thoughts += found
    turn.say("user", recall_lines(found))


async def _reason_one(turn: _Turn) -> None:
    turn.say("user", prompts.ask_reasons(prompts.question_words(turn.spec)))
    response = await turn.ask(max_tokens=turn.agent.params.reasoning_tokens)
    text = response.text.strip()
    turn.say("assistant", text or "(nothing)")
    turn.thoughts.append({"about": REASONING, "text": text, "is_cut": response.finish == "length"})


async def _decide_one(turn: _Turn) -> None:
    """Asks the open questions one after another, up to the end or to the first answer that cannot be used."""
    if turn.problem is None:
        turn.say("user", turn.question.text)
    turn.problem = None
    while True:
        question = turn.question
        try:
            text, value = await _answer(turn, question)
        except _UnusableError as unusable:
            turn.problem = (unusable.text, unusable.error)
            return
        turn.answers[question.path] = value
        if len(turn.answers) == len(turn.questions):
            break
        turn.say("assistant", text)
        turn.say("user", turn.question.text)
    if turn.errors:
        turn.thoughts.append({"about": "repair", "n": len(turn.errors), "errors": turn.errors})
    turn.outcome.set_result(Reply(assemble(turn.spec, turn.answers), tuple(turn.thoughts)))


def _repair_one(turn: _Turn) -> None:
    assert turn.problem is not None
    text, error = turn.problem
    if len(turn.errors) == turn.agent.params.repairs:
        n = f"no usable answer in {len(turn.errors) + 1}"
        raise ReplyError(error.kind, f"{n}, the last one: {error.message[:_MAX_MESSAGE]}")
    turn.errors.append(error.kind)
    turn.say("assistant", text or "(nothing)")
    turn.say("user", prompts.repair_text(error.message[:_MAX_MESSAGE], turn.question.text))


class _UnusableError(Exception):
    """An answer that was given but cannot be used."""

    def __init__(self, text: str, error: ReplyError) -> None:
        self.text, self.error = text, error
        super().__init__(str(error))


async def _answer(turn: _Turn, question: Question) -> tuple[str, Any]:
    """Returns what the model said to a question, and its value."""
    params = turn.agent.params
    max_tokens = question.max_tokens(params.max_tokens)
    if question.kind == "choice":
        labels = tuple(question.labels)
        response = await turn.ask(kind="choice", options=labels, max_tokens=max_tokens, temperature=1.0, top_p=1.0)
        draw = turn.observation.seed.uniform("choice", *question.path)
        option, thought = read_probabilities(question, response, params.temperature, draw)
        turn.thoughts.append(thought)
        return next(label for label, name in question.labels.items() if name == option), question.value(option)
    response = await turn.ask(kind=question.kind, schema=question.schema, max_tokens=max_tokens)
    try:
        return response.text, read_answer(question, response)
    except ReplyError as error:
        raise _UnusableError(response.text, error) from None
