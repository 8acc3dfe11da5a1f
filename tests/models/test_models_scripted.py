import asyncio
import json
import time

import pytest
from asked import ask
from hypothesis import given
from hypothesis import strategies as st

from tidings.core import ModelError, ModelRequest, ModelResponse, RequestError, ScenarioError
from tidings.models.scripted import GARBAGE, ScriptedModel, ScriptedParams
from tidings.spec.errors import validate


def model(**params):
    return ScriptedModel.build(validate(ScriptedParams, params), "test")


async def texts(scripted, *requests):
    return [(await scripted.respond(request)).text for request in requests]


async def test_answers_go_by_step_and_begin_again():
    assert await texts(model(answers=["x", "y"]), *(ask(step=step) for step in range(3))) == ["x", "y", "x"]


async def test_a_list_in_place_of_an_answer_goes_by_draw_and_stays_at_its_last():
    assert await texts(model(answers=[["bad", "good"]]), *(ask(draw=draw) for draw in range(3))) == [
        "bad",
        "good",
        "good",
    ]


async def test_seats_have_answers_of_their_own():
    scripted = model(seats={"a0": ["mine"], "*": ["theirs"]})
    assert await texts(scripted, ask(seat="a0"), ask(seat="a1")) == ["mine", "theirs"]


async def test_a_seat_without_answers_is_an_error_of_the_script():
    with pytest.raises(RequestError, match="no answers for seat 'a1'"):
        await model(seats={"a0": ["x"]}).respond(ask(seat="a1"))


def reply_with_seat(request: ModelRequest):
    return f"{request.key.seat} heard: {request.messages[-1].content}"


def whole_response(request: ModelRequest):
    return ModelResponse("whole", "elsewhere", 1, 2)


async def test_a_function_gets_the_request():
    assert await texts(model(function=f"{__name__}:reply_with_seat"), ask("hi")) == ["a0 heard: hi"]
    assert (await model(function=f"{__name__}:whole_response").respond(ask())).model == "elsewhere"


@pytest.mark.parametrize("path", ["no.such.module:f", f"{__name__}:missing", "nothing", f"{__name__}:GARBAGE"])
def test_a_function_that_is_not_there_is_found_at_once(path):
    with pytest.raises(ScenarioError, match=r"scripted/test\.function"):
        model(function=path)


def test_two_rules_at_once_are_refused():
    with pytest.raises(ScenarioError, match="answers and seats"):
        model(answers=["x"], seats={"*": ["y"]})


async def test_choice_takes_an_option_or_probabilities():
    one = await model(answers=["B"]).respond(ask(kind="choice", options=("A", "B")))
    assert (one.text, one.probabilities, one.mass) == ("B", (0.0, 1.0), 1.0)
    two = await model(answers=[{"A": 0.6, "B": 0.2}]).respond(ask(kind="choice", options=("A", "B")))
    assert two.text == "A"
    assert two.probabilities == pytest.approx((0.75, 0.25))
    assert two.mass == pytest.approx(0.8)


@pytest.mark.parametrize("answer", ["C", {"C": 1.0}, {"A": -0.5, "B": 1.0}, {"A": 0.9, "B": 0.9}, {}, {"A": "much"}])
async def test_a_choice_that_is_no_option_is_an_error_of_the_script(answer):
    with pytest.raises(RequestError, match="to a choice"):
        await model(answers=[answer]).respond(ask(kind="choice", options=("A", "B")))


async def test_json_answers_are_written_out():
    answer = await model(answers=[{"belief": 0.5}]).respond(ask(kind="json", schema={}))
    assert json.loads(answer.text) == {"belief": 0.5}


async def test_without_a_rule_answers_are_drawn_from_what_is_allowed_and_repeat():
    schema = {
        "type": "object",
        "properties": {
            "belief": {"type": "number", "minimum": 0.25, "maximum": 0.5},
            "action": {"type": "string", "enum": ["A", "B"]},
            "n": {"type": "integer", "minimum": 3, "maximum": 4},
            "words": {"type": "array", "items": {"type": "string", "maxLength": 5}},
            "sure": {"type": "boolean"},
        },
    }
    seen = set()
    for seed in range(40):
        request = ask(kind="json", schema=schema, seed=seed)
        answer = (await model().respond(request)).text
        assert answer == (await model().respond(request)).text
        value = json.loads(answer)
        assert 0.25 <= value["belief"] <= 0.5
        assert value["n"] in (3, 4)
        assert value["sure"] in (True, False)
        assert all(len(word) <= 5 for word in value["words"])
        seen.add(value["action"])
    assert seen == {"A", "B"}


@given(seed=st.integers(0, 2**64 - 1), n=st.integers(1, 6))
def test_default_choices_are_options(seed, n):
    options = tuple("ABCDEF"[:n])
    answer = asyncio.run(model().respond(ask(kind="choice", options=options, seed=seed)))
    assert answer.text in options


async def test_scores_depend_on_texts_only():
    first = await model().respond(ask("a", kind="score", continuation="one two three", seed=1))
    same = await model().respond(ask("a", kind="score", continuation="one two three", seed=2, step=5))
    other = await model().respond(ask("b", kind="score", continuation="one two three"))
    assert first.logprobs == same.logprobs != other.logprobs
    assert len(first.logprobs) == 3
    assert max(first.logprobs) <= 0


async def test_stop_texts_and_the_token_limit_cut():
    answer = await model(answers=["one two three"]).respond(ask(stop=(" three", "two")))
    assert (answer.text, answer.finish) == ("one ", "stop")
    answer = await model(answers=["one two three"]).respond(ask(max_tokens=2))
    assert (answer.text, answer.finish, answer.tokens_out) == ("one two", "length", 2)


async def test_a_failure_hits_its_call_and_passes_after_so_many_attempts():
    scripted = model(
        answers=["x"], failures=[{"step": 1, "seat": "a0", "kind": "rate_limit", "retry_after_s": 2, "times": 2}]
    )
    for _ in range(2):
        with pytest.raises(ModelError, match="rate_limit") as caught:
            await scripted.respond(ask(step=1))
        assert caught.value.retry_after_s == 2
    assert await texts(scripted, ask(step=1), ask(step=0), ask(step=1, seat="a1")) == ["x", "x", "x"]


async def test_garbage_is_answered_as_text_and_fails_where_no_text_is_asked():
    scripted = model(failures=[{"kind": "garbage", "times": None}])
    assert await texts(scripted, ask(), ask(kind="json", schema={})) == [GARBAGE, GARBAGE]
    with pytest.raises(ModelError, match="server"):
        await scripted.respond(ask(kind="choice", options=("A",)))


async def test_latency_is_drawn_from_the_seed_inside_its_range():
    scripted = model(latency_s=[0.01, 0.03], answers=["x"])
    draws = [scripted._latency_s(ask(seed=seed)) for seed in range(200)]
    assert 0.01 <= min(draws) < 0.012 < 0.028 < max(draws) < 0.03
    assert draws == [scripted._latency_s(ask(seed=seed)) for seed in range(200)]


async def test_a_thousand_seats_wait_at_the_same_time():
    scripted = model(latency_s=0.3, answers=["x"])
    began = time.perf_counter()
    answers = await texts_at_once(scripted, [ask(seat=f"a{i}") for i in range(1000)])
    assert set(answers) == {"x"}
    assert time.perf_counter() - began < 3  # one after another it would take 300 s; the rest is a busy machine


async def texts_at_once(scripted, requests):
    return [answer.text for answer in await asyncio.gather(*map(scripted.respond, requests))]
