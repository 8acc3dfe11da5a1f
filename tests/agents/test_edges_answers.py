"""A graph as the answer of a language model: what is read, what is refused, and by which ways it is asked."""

import asyncio
import json

import pytest
from agent_stubs import context, observe, saying

from tidings.agents.llm import LLMAgent, LLMParams
from tidings.agents.parsing import read_action
from tidings.core import EdgesSpec, ReplyError

SPEC = EdgesSpec(("a0", "a1", "a2"), "Who reads whom?", frozenset({("a0", "a1"), ("a1", "a2"), ("a2", "a0")}), True)


def act(*answers: str, **params: object) -> object:
    model = saying(*answers)
    agent = LLMAgent.build(LLMParams(**params), context(model, "a0"))
    return asyncio.run(agent.act(observe([]), SPEC)).action, model.requests


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        ("a0 -> a1", [["a0", "a1"]]),
        ("a1->a2, a0 -> a1", [["a0", "a1"], ["a1", "a2"]]),
        ("a1 -> a2\na0 -> a1.", [["a0", "a1"], ["a1", "a2"]]),
        ("[a0 -> a1; a1 -> a2]", [["a0", "a1"], ["a1", "a2"]]),
        ("NONE", []),
        ("**none**", []),
    ],
)
def test_pairs_are_read_in_the_order_of_the_nodes(text: str, edges: list[list[str]]) -> None:
    assert read_action(text, SPEC) == edges


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "not_edges"),
        ("I would let a0 -> a1", "not_edges"),
        ("a0, a1", "not_edges"),
        ("a0 -> a1 -> a2", "not_edges"),
        ("a0 -> a1 or NONE", "not_edges"),
        ("a0 -> a9", "unknown_node"),
        ("a0 -> a0", "loop"),
        ("a0 -> a1, a0 -> a1", "repeated_edge"),
        ("a1 -> a0", "forbidden_edge"),
        ("a0 -> a1, a1 -> a2, a2 -> a0", "cycle"),
    ],
)
def test_what_is_no_graph_is_a_failure_and_never_an_empty_graph(text: str, kind: str) -> None:
    with pytest.raises(ReplyError) as raised:
        read_action(text, SPEC)
    assert raised.value.kind == kind


def test_a_language_model_is_asked_in_words() -> None:
    edges, requests = act("a1 -> a2, a0 -> a1", elicit="text")
    assert edges == [["a0", "a1"], ["a1", "a2"]]
    assert "Who reads whom?" in requests[0].messages[-1].content
    assert {request.kind for request in requests} == {"text"}


def test_a_language_model_is_asked_for_json() -> None:
    edges, requests = act(json.dumps({"answer": [["a1", "a2"], ["a0", "a1"]]}))
    assert edges == [["a0", "a1"], ["a1", "a2"]]
    assert requests[0].kind == "json"


def test_a_graph_that_is_refused_is_asked_for_again_and_then_fails() -> None:
    edges, requests = act("a1 -> a0", "a0 -> a1", elicit="text", repairs=1)
    assert (edges, len(requests)) == ([["a0", "a1"]], 2)
    with pytest.raises(ReplyError) as raised:
        act("a1 -> a0", elicit="text", repairs=1)
    assert raised.value.kind == "forbidden_edge"
