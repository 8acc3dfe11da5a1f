"""A seat that holds your own compiled LangGraph graph: `kind: langgraph`, `graph: package.module:graph`.

Each turn is one `ainvoke`. The graph gets one dictionary; a `StateGraph` takes the keys that its state declares:

| key | value |
|---|---|
| `seat` | name of the seat |
| `brief` | the situation in words |
| `persona` | who the seat is, in words |
| `transcript` | what the seat may see, one line each (list of texts) |
| `question` | what is asked, in words |
| `schema` | JSON Schema of the action |
| `observation` | `{"rollout", "step", "events": [{"kind", "seat", "step", "data"}]}`: all the seat may see |
| `seed` | 64-bit whole number for the graph's own draws; equal in a replay |
| `model` | the seat's model, or None: `response = await model.respond("words")`, then `response.text` |

It must return a dictionary with `action` (as `schema` says) and may return `thoughts` (a list of JSON objects).
Thoughts are all that the seat remembers: they come back in `observation["events"]` as events of kind `thought`.
A graph with a checkpointer is refused, since its memory would not be in the event log.
Calls that go through `model` are recorded, cached, counted against the limits and replayed; others are not.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

from tidings.agents import prompts
from tidings.agents.langgraph_seam import load_compiled, run_graph
from tidings.agents.transcript import read_transcript
from tidings.agents.turn_calls import TurnCalls
from tidings.core import ActionSpec, Observation, Reply, ReplyError, SeatContext
from tidings.spec.base import Params

__all__ = ["LangGraphAgent", "LangGraphParams"]

_ALL = 2**63


class LangGraphParams(Params):
    """Settings of the agent `langgraph`."""

    graph: str
    """The compiled graph, as package.module:graph."""


@dataclass(frozen=True)
class LangGraphAgent:
    """Gives each turn to a compiled graph."""

    params: LangGraphParams
    context: SeatContext
    graph: Any

    Params: ClassVar[type[Params]] = LangGraphParams

    @classmethod
    def build(cls, params: LangGraphParams, context: SeatContext) -> LangGraphAgent:
        """Returns the agent.

        Raises:
            ScenarioError: If there is no such compiled graph, or it has a checkpointer.
        """
        return cls(params, context, load_compiled(params.graph))

    async def act(self, observation: Observation, spec: ActionSpec) -> Reply:
        """Returns the action of the graph, checked, with its thoughts.

        Raises:
            ReplyError: `no_action`, `bad_thoughts`, `recursion_limit`, `interrupted`, or what the spec's check raises.
        """
        state = await run_graph(self.graph, self._given(observation, spec))
        if not isinstance(state, dict) or "action" not in state:
            raise ReplyError("no_action", f"the graph {self.params.graph} ended without `action`")
        return Reply(spec.check(state["action"]), _thoughts(state.get("thoughts") or ()))

    def _given(self, observation: Observation, spec: ActionSpec) -> dict[str, Any]:
        context = self.context
        transcript = read_transcript(observation, context.describe, max_events=_ALL, max_chars=_ALL)
        return {
            "seat": context.seat,
            "brief": context.brief,
            "persona": context.persona,
            "transcript": list(transcript.lines),
            "question": prompts.question_words(spec),
            "schema": spec.json_schema(),
            "observation": _plain(observation),
            "seed": observation.seed.child("graph").key,
            "model": None if context.model is None else TurnCalls(context.model, observation),
        }


def _plain(observation: Observation) -> dict[str, Any]:
    """Returns the observation as JSON values of its own: what a graph does to them changes nothing here."""
    events = [
        {"kind": event.kind, "seat": event.seat, "step": event.step, "data": deepcopy(event.data)}
        for event in observation.events
    ]
    return {"rollout": observation.rollout, "step": observation.step, "events": events}


def _thoughts(given: Any) -> tuple[dict[str, Any], ...]:
    if isinstance(given, list | tuple) and all(isinstance(thought, dict) for thought in given):
        try:
            # Through JSON, so that the log holds exactly what a replay will read.
            return tuple(json.loads(json.dumps(thought, allow_nan=False)) for thought in given)
        except (TypeError, ValueError) as error:
            raise ReplyError("bad_thoughts", f"thoughts must be JSON objects: {error}") from None
    raise ReplyError("bad_thoughts", f"thoughts must be a list of JSON objects, found {type(given).__name__}")
