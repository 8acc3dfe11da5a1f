import asyncio
import json
from collections import Counter

import pytest
from agent_stubs import StubModel, choosing, context, message, observe, saying
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.agents import shared_graph
from tidings.agents.conformance import check_agent
from tidings.agents.llm import LLMAgent, LLMParams
from tidings.core import (
    EVERYONE,
    CallKey,
    ChoiceSpec,
    Event,
    LimitError,
    ModelError,
    ModelResponse,
    NumberSpec,
    ReplyError,
    ScenarioError,
    SeedPath,
    StructuredSpec,
    TextSpec,
)

CHOICE = ChoiceSpec(("stay", "sail"), "Do you sail?")
BELIEF = NumberSpec(0.0, 1.0, "How likely is rain?")
BOTH = StructuredSpec({"belief": BELIEF, "action": CHOICE})
TEXT = TextSpec(40, "What do you say?", allow_empty=True)


def agent(model, seat="a0", **params):
    return LLMAgent.build(LLMParams(**params), context(model, seat))


async def failure(model, spec=CHOICE, **params):
    with pytest.raises(ReplyError) as raised:
        await agent(model, **params).act(observe([]), spec)
    return raised.value


# --- what is asked, and how ---


@pytest.mark.parametrize(
    ("spec", "kinds", "asked"),
    [
        (CHOICE, ("text", "json", "choice"), ["choice"]),
        (CHOICE, ("text", "json"), ["json"]),
        (CHOICE, ("text",), ["text"]),
        (BOTH, ("text", "json", "choice"), ["json"]),
        (BOTH, ("text", "choice"), ["text", "choice"]),
        (BOTH, ("text",), ["text"]),
        (BELIEF, ("text", "json", "choice"), ["json"]),
        (BELIEF, ("text", "choice"), ["text"]),
        (TEXT, ("text", "json", "choice"), ["text"]),
    ],
)
async def test_auto_takes_what_the_model_can_in_the_stated_order(spec, kinds, asked):
    def answer(request):
        if request.kind == "choice":
            return ModelResponse("A", "stub", probabilities=(1.0, 0.0), mass=1.0)
        if spec is BOTH and len(asked) == 1:
            return '{"belief": 0.5, "action": "stay"}'
        if request.kind == "json":
            return json.dumps({"answer": "stay" if spec is CHOICE else 0.5})
        return "stay" if spec is CHOICE else "0.5"

    model = StubModel(answer, kinds)
    await agent(model).act(observe([]), spec)
    assert [request.kind for request in model.requests] == asked
    assert all((request.schema is not None) == (request.kind == "json") for request in model.requests)
    assert all(bool(request.options) == (request.kind == "choice") for request in model.requests)


def test_a_seat_that_cannot_be_asked_is_refused_before_anything_runs():
    with pytest.raises(ScenarioError, match=r"found 'json'.*answers text"):
        agent(StubModel(str, ("text",)), elicit="json")
    with pytest.raises(ScenarioError, match="needs text"):
        agent(StubModel(str, ("choice",)), elicit="choice")
    with pytest.raises(ScenarioError, match="a0' has none"):
        agent(None)


async def test_belief_and_action_are_both_elicited():
    reply = await agent(saying('{"action": "sail", "belief": "30%"}'), elicit="json").act(observe([]), BOTH)
    assert reply.action == {"belief": 0.3, "action": "sail"}


async def test_part_by_part_questions_follow_each_other_in_one_chat():
    def answer(request):
        if request.kind == "choice":
            return ModelResponse("A", "stub", probabilities=(0.2, 0.6), mass=0.4)
        return "0.25"

    model = StubModel(answer)
    reply = await agent(model, elicit="choice", shuffle_options=False).act(observe([]), BOTH)
    assert reply.action == {"belief": 0.25, "action": "sail"}
    assert [m.role for m in model.requests[1].messages] == ["system", "user", "assistant", "user"]
    assert model.requests[1].messages[2].content == "0.25"
    (thought,) = reply.thoughts
    assert thought["field"] == "action"
    assert thought["mass"] == 0.4
    assert thought["probabilities"] == pytest.approx({"stay": 0.25, "sail": 0.75})


async def test_optional_parts_may_be_skipped_in_every_way():
    spec = StructuredSpec({"text": TEXT, "action": CHOICE}, optional=frozenset({"action"}))
    for elicit, answers in (("choice", ("hello", "SKIP")), ("json", ('{"text": "hello"}',))):
        reply = await agent(saying(*answers), elicit=elicit).act(observe([]), spec)
        assert reply.action == {"text": "hello"}


async def test_reasoning_comes_first_and_is_a_thought_that_is_read_again():
    model = saying("Clouds. So rain.", "stay")
    seat = agent(model, reasoning=True, elicit="text", reasoning_tokens=7)
    reply = await seat.act(observe([]), CHOICE)
    assert reply.thoughts == ({"about": "reasoning", "text": "Clouds. So rain.", "is_cut": False},)
    assert [request.max_tokens for request in model.requests] == [7, 32]
    assert model.requests[1].messages[2] == ("assistant", "Clouds. So rain.")
    again = observe([Event("thought", ("a0",), reply.thoughts[0], "a0")], step=2)
    await seat.act(again, CHOICE)
    assert "- You thought: Clouds. So rain." in model.requests[2].messages[1].content


async def test_nothing_to_say_is_an_answer_where_it_is_allowed():
    assert (await agent(saying("NOTHING")).act(observe([]), TEXT)).action == ""
    assert (await agent(saying("NOTHING")).act(observe([]), TextSpec(40))).action == "NOTHING"


# --- keys and seeds ---


async def test_every_call_has_its_own_key_and_seed():
    model = saying("hm", "0.5", "nonsense", "stay")
    seen = observe([], "a0", step=3, rollout=2)
    await agent(model, reasoning=True, elicit="text").act(seen, CHOICE)
    assert [request.key for request in model.requests] == [CallKey(2, "a0", 3, draw) for draw in range(4)]
    assert [request.seed for request in model.requests] == [seen.seed.child("call", draw).key for draw in range(4)]


async def test_same_observation_same_requests_and_reply():
    first, second = saying("maybe", "A"), saying("maybe", "A")
    replies = [await agent(model, elicit="text").act(observe([message("x")]), CHOICE) for model in (first, second)]
    assert first.requests == second.requests
    assert replies[0] == replies[1]


async def test_options_are_shuffled_by_the_seed_and_mapped_back():
    spec = ChoiceSpec(("stay", "sail", "swim"))
    shown, chosen = Counter(), Counter()
    for seed in range(300):
        model = saying("A")
        reply = await agent(model, elicit="text").act(observe([], seed=seed), spec)
        first = model.requests[0].messages[1].content.split("A) ")[1].split("\n")[0]
        assert reply.action == first
        shown[tuple(line[3:] for line in model.requests[0].messages[1].content.split("\n") if line[1:3] == ") ")] += 1
        chosen[reply.action] += 1
    assert len(shown) == 6
    # 300 draws from six equally likely orders: 50 each, standard deviation 6.5.
    assert all(abs(n - 50) < 26 for n in shown.values())
    fixed = saying("A")
    await agent(fixed, elicit="text", shuffle_options=False).act(observe([]), spec)
    assert "A) stay\nB) sail\nC) swim" in fixed.requests[0].messages[1].content


async def test_without_labels_the_options_themselves_are_asked_for():
    model = choosing(0.1, 0.3)
    seat = agent(model, label_options=False, shuffle_options=False)
    assert (await seat.act(observe([]), CHOICE)).action == "sail"
    assert model.requests[0].options == ("stay", "sail")
    assert "- stay\n- sail\n" in model.requests[0].messages[1].content


# --- exact choices ---


async def test_choice_is_the_most_probable_option_at_temperature_zero():
    reply = await agent(choosing(0.3, 0.1), shuffle_options=False).act(observe([]), CHOICE)
    assert reply.action == "stay"
    (thought,) = reply.thoughts
    assert (thought["about"], thought["field"], thought["mass"]) == ("choice", "", 0.9)
    assert thought["probabilities"] == pytest.approx({"stay": 0.75, "sail": 0.25})


@pytest.mark.parametrize(("temperature", "p_first"), [(1.0, 0.8), (0.5, 16 / 17), (2.0, 2 / 3)])
async def test_choice_is_sampled_from_the_renormalised_probabilities(temperature, p_first):
    seat = agent(choosing(0.4, 0.1), temperature=temperature, shuffle_options=False)
    n = 2000
    replies = await asyncio.gather(*[seat.act(observe([], seed=seed), CHOICE) for seed in range(n)])
    share = sum(reply.action == "stay" for reply in replies) / n
    assert abs(share - p_first) < 4 * (p_first * (1 - p_first) / n) ** 0.5


@pytest.mark.parametrize("given", [None, (1.0,), (0.0, 0.0), (float("nan"), 1.0), (-1.0, 2.0)])
async def test_unusable_probabilities_are_a_failure_without_repair(given):
    model = StubModel(lambda request: ModelResponse("A", "stub", probabilities=given))
    assert (await failure(model)).kind == "no_probabilities"
    assert len(model.requests) == 1


# --- repair ---


@pytest.mark.parametrize("repairs", [0, 1, 2, 5])
async def test_repair_is_bounded_and_nothing_defaults(repairs):
    model = saying("perhaps")
    error = await failure(model, elicit="text", repairs=repairs)
    assert error.kind == "not_an_option"
    assert f"in {repairs + 1}" in error.message
    assert len(model.requests) == repairs + 1


async def test_repair_shows_the_answer_and_the_error_and_is_counted():
    model = saying("perhaps", "A) stay B) sail", "stay")
    reply = await agent(model, elicit="text").act(observe([]), CHOICE)
    assert reply.action == "stay"
    assert reply.thoughts == ({"about": "repair", "n": 2, "errors": ["not_an_option", "ambiguous"]},)
    chat = model.requests[2].messages
    assert [m.role for m in chat] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert chat[2].content == "perhaps"
    assert "'perhaps' is none of" in chat[3].content
    assert "Do you sail?" in chat[3].content


async def test_repairs_are_counted_over_all_parts_of_a_turn():
    answers = {"belief": ["much", "0.5"], "action": []}

    def answer(request):
        if request.kind == "choice":
            return ModelResponse("A", "stub", probabilities=(1, 0), mass=1)
        return answers["belief"].pop(0)

    spec = StructuredSpec({"belief": BELIEF, "action": CHOICE})
    reply = await agent(StubModel(answer), elicit="choice", repairs=1).act(observe([]), spec)
    assert reply.action["belief"] == 0.5
    assert reply.thoughts[-1] == {"about": "repair", "n": 1, "errors": ["not_a_number"]}
    both_wrong = saying("much", "0.5", "neither")
    error = await failure(both_wrong, StructuredSpec({"belief": BELIEF, "x": BELIEF}), elicit="text", repairs=1)
    assert error.kind == "not_json"
    assert len(both_wrong.requests) == 2


@pytest.mark.parametrize(
    ("spec", "text", "kind"),
    [
        (TEXT, "half a sen", "cut_off"),
        (BELIEF, "The probability is 0.7", "cut_off"),
        (CHOICE, "It may be so.\nA", "not_an_option"),
        (BOTH, '{"belief": 0.5, "action": "st', "not_json"),
    ],
)
async def test_an_answer_that_was_cut_off_is_not_read_as_if_it_were_whole(spec, text, kind):
    model = StubModel(lambda request: ModelResponse(text, "stub", finish="length"))
    assert (await failure(model, spec, elicit="text", repairs=0)).kind == kind


async def test_what_was_complete_before_the_cut_counts():
    model = StubModel(lambda request: ModelResponse("B) because it is", "stub", finish="length"))
    reply = await agent(model, elicit="text", shuffle_options=False).act(observe([]), CHOICE)
    assert reply.action == "sail"


@pytest.mark.parametrize("error", [ModelError("timeout", "too late"), LimitError("calls", 3, 3), KeyError("bug")])
async def test_what_the_model_raises_arrives_unchanged(error):
    def answer(request):
        raise error

    with pytest.raises(type(error)) as raised:
        await agent(StubModel(answer)).act(observe([]), TEXT)
    assert raised.value is error


# --- many at once ---


def echo(request):
    """Returns the word after MARK in the prompt."""
    return request.messages[1].content.split("MARK")[1].split()[0]


async def test_answers_of_a_thousand_seats_are_not_mixed_up():
    model = StubModel(echo)
    model.latency = lambda request: SeedPath.root(int(request.key.seat[1:])).uniform() * 0.05
    seats = [agent(model, f"a{i}") for i in range(1000)]
    views = [observe([message(f"MARK w{i}", f"a{i}")], f"a{i}") for i in range(1000)]
    replies = await asyncio.gather(*[seat.act(view, TEXT) for seat, view in zip(seats, views, strict=True)])
    assert [reply.action for reply in replies] == [f"w{i}" for i in range(1000)]


async def test_seats_due_together_share_one_graph_run_and_rollouts_do_not(monkeypatch):
    sizes = []
    run_graph = shared_graph.run_graph

    async def counted(graph, given):
        sizes.append(len(given["turns"]))
        return await run_graph(graph, given)

    monkeypatch.setattr(shared_graph, "run_graph", counted)
    seat = agent(saying("hello"))
    await asyncio.gather(*[seat.act(observe([], rollout=i % 2), TEXT) for i in range(10)])
    assert sizes == [5, 5]
    await seat.act(observe([]), TEXT)
    assert sizes == [5, 5, 1]


async def test_a_failure_stays_with_its_own_seat():
    def answer(request):
        if request.key.seat == "a1":
            raise ModelError("server", "down")
        return "perhaps" if request.key.seat == "a2" else "stay"

    model = StubModel(answer, ("text",))
    seats = [agent(model, f"a{i}") for i in range(4)]
    outcomes = await asyncio.gather(
        *[seat.act(observe([], f"a{i}"), CHOICE) for i, seat in enumerate(seats)], return_exceptions=True
    )
    assert [getattr(outcome, "kind", None) for outcome in outcomes] == [None, "server", "not_an_option", None]
    assert outcomes[0].action == outcomes[3].action == "stay"


async def test_a_quick_seat_does_not_wait_for_a_slow_one():
    model = StubModel(lambda request: "hello")
    model.latency = lambda request: 0.2 if request.key.seat == "a1" else 0.0
    slow, quick = (asyncio.ensure_future(agent(model, seat).act(observe([], seat), TEXT)) for seat in ("a1", "a0"))
    await asyncio.wait_for(quick, 0.15)
    assert not slow.done()
    await slow


async def test_a_turn_that_is_given_up_stops_its_call_and_no_other():
    stopped, both_asked, may_answer = [], asyncio.Barrier(3), asyncio.Event()
    model = StubModel(lambda request: "hello")

    async def respond(request):
        await both_asked.wait()
        try:
            await may_answer.wait()
        except asyncio.CancelledError:
            stopped.append(request.key.seat)
            raise
        return ModelResponse("hello", "stub")

    model.respond = respond
    kept, given_up = (asyncio.ensure_future(agent(model, s).act(observe([], s), TEXT)) for s in ("a0", "a1"))
    await both_asked.wait()
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    may_answer.set()
    assert (await kept).action == "hello"
    assert stopped == ["a1"]


# --- the barrier ---

SEATS = ("a0", "a1", "a2")
audiences = st.one_of(st.just(EVERYONE), st.lists(st.sampled_from(SEATS), unique=True).map(tuple))
kinds = st.sampled_from(["message", "fact", "thought", "reply", "other"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(kinds, audiences, st.sampled_from(SEATS)), max_size=25), st.integers(1, 30), st.integers(1, 600)
)
def test_prompt_holds_only_what_the_observation_holds(drafts, max_events, max_chars):
    events = [
        Event(kind, audience, {"text": f"token{i}x", "about": "reasoning"}, seat)
        for i, (kind, audience, seat) in enumerate(drafts)
    ]
    model = saying("hello")
    seat = agent(model, max_events=max_events, max_chars=max_chars)
    seen = observe(events)
    asyncio.run(seat.act(seen, TEXT))
    prompt = "\n".join(m.content for m in model.requests[0].messages)
    readable = [e for e in seen.events if e.kind in ("message", "fact") or (e.kind == "thought" and e.seat == "a0")]
    inside = [e for e in events if f"{e.data['text']}" in prompt]
    assert {e.data["text"] for e in inside} <= {e.data["text"] for e in readable}
    n_left_out = len(readable) - len(inside)
    assert (f"({n_left_out} earlier line" in prompt) == (n_left_out > 0)
    assert len(inside) <= max_events
    hidden = [e._replace(data={"text": "changed"}) if e not in seen.events and not visible(e) else e for e in events]
    again = saying("hello")
    asyncio.run(agent(again, max_events=max_events, max_chars=max_chars).act(observe(hidden), TEXT))
    assert again.requests == model.requests


def visible(event):
    return event.audience == EVERYONE or "a0" in event.audience


# --- conformance ---


def any_answer(request):
    if request.kind == "choice":
        return ModelResponse("A", "stub", probabilities=(0.5,) * len(request.options), mass=1.0)
    if request.kind == "json":
        fields = request.schema["properties"]
        return json.dumps({name: part["enum"][0] if "enum" in part else 0.5 for name, part in fields.items()})
    return "hello"


@pytest.mark.parametrize("params", [{}, {"reasoning": True, "temperature": 1.0}, {"elicit": "json"}])
def test_conformance(params):
    def answer(request):
        if request.kind == "json" and request.schema["properties"].get("answer", {}).get("type") == "string":
            return json.dumps({"answer": request.schema["properties"]["answer"].get("enum", ["hello"])[0]})
        return any_answer(request)

    assert check_agent(lambda: agent(StubModel(answer), **params)) == 5
