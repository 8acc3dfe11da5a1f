import asyncio
from typing import Any, TypedDict

import pytest
from agent_stubs import StubModel, context, message, observe, saying
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from tidings.agents.conformance import check_agent
from tidings.agents.langgraph_agent import LangGraphAgent, LangGraphParams
from tidings.agents.langgraph_seam import RECURSION_LIMIT
from tidings.core import CallKey, ChoiceSpec, Event, LimitError, ModelError, ReplyError, ScenarioError, TextSpec

CHOICE = ChoiceSpec(("stay", "sail"), "Do you sail?")
TEXT = TextSpec(80, "What do you say?")


class State(TypedDict, total=False):
    seat: str
    brief: str
    persona: str
    transcript: list[str]
    question: str
    schema: dict[str, Any]
    observation: dict[str, Any]
    seed: int
    model: Any
    action: Any
    thoughts: Any


def graph_of(node, **compile_with):
    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    builder.add_edge("node", END)
    return builder.compile(**compile_with)


def first_option(state):
    options = state["schema"].get("enum") or ["hello"]
    return {"action": options[0], "thoughts": [{"about": "own", "n_lines": len(state["transcript"])}]}


plain = graph_of(first_option)
not_compiled = StateGraph(State)
with_memory = graph_of(first_option, checkpointer=InMemorySaver())
number = 3


def seat_of(node, model=None, seat="a0"):
    return LangGraphAgent(LangGraphParams(graph="x:y"), context(model, seat, persona="A sailor."), graph_of(node))


async def failure(node, spec=CHOICE):
    with pytest.raises(ReplyError) as raised:
        await seat_of(node).act(observe([]), spec)
    return raised.value.kind


async def test_a_graph_named_in_a_scenario_plays():
    seat = LangGraphAgent.build(LangGraphParams(graph="test_langgraph_agent:plain"), context())
    reply = await seat.act(observe([message("clouds")]), CHOICE)
    assert reply.action == "stay"
    assert reply.thoughts == ({"about": "own", "n_lines": 1},)


async def test_what_a_graph_is_given_is_what_the_page_says():
    got = {}

    def node(state):
        got.update(state)
        state["observation"]["events"][0]["data"]["text"] = "changed"
        return {"action": "stay"}

    events = [message("clouds"), message("SECRET", "a1"), Event("thought", ("a0",), {"text": "hm"}, "a0")]
    seen = observe(events, step=4, rollout=2)
    await seat_of(node).act(seen, CHOICE)
    assert {key: got[key] for key in ("seat", "brief", "persona", "transcript", "question", "model")} == {
        "seat": "a0",
        "brief": "It may rain.",
        "persona": "A sailor.",
        "transcript": ["a1 said: clouds"],
        "question": "Do you sail?",
        "model": None,
    }
    assert got["schema"] == CHOICE.json_schema()
    assert got["seed"] == seen.seed.child("graph").key
    assert (got["observation"]["rollout"], got["observation"]["step"]) == (2, 4)
    assert [event["kind"] for event in got["observation"]["events"]] == ["message", "thought"]
    assert seen.public[0].data == {"text": "clouds"}


async def test_the_model_handle_numbers_and_seeds_its_calls():
    async def node(state):
        first = await state["model"].respond("Hello?")
        second = await state["model"].respond([("system", "s"), ("user", first.text)], kind="json", schema={})
        return {"action": second.text}

    model = saying("one", "two")
    seen = observe([], step=3)
    assert (await seat_of(node, model).act(seen, TEXT)).action == "two"
    assert [request.key for request in model.requests] == [CallKey(0, "a0", 3, 0), CallKey(0, "a0", 3, 1)]
    assert [request.seed for request in model.requests] == [seen.seed.child("call", n).key for n in range(2)]
    assert [tuple(m) for m in model.requests[1].messages] == [("system", "s"), ("user", "one")]


@pytest.mark.parametrize(
    ("update", "kind"),
    [
        ({}, "no_action"),
        ({"action": "swim"}, "not_an_option"),
        ({"action": None}, "not_an_option"),
        ({"action": "stay", "thoughts": "hm"}, "bad_thoughts"),
        ({"action": "stay", "thoughts": ["hm"]}, "bad_thoughts"),
        ({"action": "stay", "thoughts": [{"x": {1}}]}, "bad_thoughts"),
        ({"action": "stay", "thoughts": [{"x": float("nan")}]}, "bad_thoughts"),
    ],
)
async def test_what_a_graph_returns_is_checked(update, kind):
    assert await failure(lambda state: {"seat": "a0", **update}) == kind


async def test_a_graph_without_end_is_a_typed_failure():
    builder, n = StateGraph(State), []
    builder.add_node("again", lambda state: n.append(1))
    builder.add_edge(START, "again")
    builder.add_edge("again", "again")
    seat = LangGraphAgent(LangGraphParams(graph="x:y"), context(), builder.compile())
    with pytest.raises(ReplyError, match="recursion_limit"):
        await seat.act(observe([]), CHOICE)
    assert len(n) == RECURSION_LIMIT


async def test_a_graph_that_waits_for_somebody_is_a_typed_failure():
    assert await failure(lambda state: {"action": interrupt("stay?")}) == "interrupted"


@pytest.mark.parametrize("error", [ModelError("server", "down"), LimitError("usd", 1, 1), KeyError("bug")])
async def test_what_a_node_raises_arrives_unchanged(error):
    def answer(request):
        raise error

    async def node(state):
        return {"action": (await state["model"].respond("?")).text}

    with pytest.raises(type(error)) as raised:
        await seat_of(node, StubModel(answer)).act(observe([]), TEXT)
    assert raised.value is error


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("plain", "need package.module:graph"),
        ("no_such_module_here:graph", "cannot import"),
        ("test_langgraph_agent:nothing", "has no 'nothing'"),
        ("test_langgraph_agent:number", "is a int; need a compiled"),
        ("test_langgraph_agent:not_compiled", r"not_compiled = builder.compile\(\)"),
        ("test_langgraph_agent:with_memory", "has a checkpointer"),
    ],
)
def test_a_graph_that_cannot_sit_here_is_refused_at_once(path, words):
    with pytest.raises(ScenarioError, match=words):
        LangGraphAgent.build(LangGraphParams(graph=path), context())


async def test_many_seats_with_one_graph_do_not_mix():
    async def node(state):
        return {"action": (await state["model"].respond(state["seat"])).text}

    model = StubModel(lambda request: request.messages[0].content)
    model.latency = lambda request: (int(request.key.seat[1:]) * 7 % 11) * 0.002
    seats = [seat_of(node, model, f"a{i}") for i in range(100)]
    replies = await asyncio.gather(*[s.act(observe([], f"a{i}"), TEXT) for i, s in enumerate(seats)])
    assert [reply.action for reply in replies] == [f"a{i}" for i in range(100)]


def test_conformance():
    assert check_agent(lambda: seat_of(first_option)) == 3
