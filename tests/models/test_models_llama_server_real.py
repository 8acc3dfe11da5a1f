"""The OpenAI-compatible provider against a real server: llama.cpp with the local model's weights, on loopback."""

import asyncio
import json
import math

import pytest
from asked import ask
from llama_server import LlamaServer

from tidings.core import CallKey, ModelError, ModelRequest, PromptMessage
from tidings.log.calls import CallStore
from tidings.models.budget import Budget
from tidings.models.conformance import check_model
from tidings.models.guard import GuardedModel, GuardParams
from tidings.models.openai_compatible import OpenAICompatibleModel, OpenAICompatibleParams

pytestmark = pytest.mark.real_model
SCHEMA = {
    "type": "object",
    "properties": {"action": {"enum": ["left", "right"]}, "belief": {"type": "number"}},
    "required": ["action", "belief"],
    "additionalProperties": False,
}

SHORT = (PromptMessage("system", "Count."), PromptMessage("user", "n?"))  # spares the template's own system prompt


def connect(server, **params):
    return OpenAICompatibleModel.build(OpenAICompatibleParams(base_url=server.base_url, **params), "smollm2")


@pytest.fixture
async def model(llama):
    connected = connect(llama)
    yield connected
    await connected.close()


async def test_completion(model):
    answer = await model.respond(ask("What is the capital of France?", max_tokens=12))
    assert answer.model == "smollm2"
    assert answer.tokens_in > 20
    assert 0 < answer.tokens_out <= 12


async def test_a_stop_text_and_the_token_limit(model):
    answer = await model.respond(ask("Count: 1, 2, 3, 4, 5, 6. Repeat.", max_tokens=20, stop=("4",)))
    assert "4" not in answer.text
    answer = await model.respond(ask("Tell me a long story.", max_tokens=3))
    assert (answer.tokens_out, answer.finish) == (3, "length")


async def test_structured_output_follows_the_schema(model):
    for seed in range(3):
        request = ask("Go left or right?", kind="json", schema=SCHEMA, max_tokens=60, temperature=1.0, seed=seed)
        answer = await model.respond(request)
        value = json.loads(answer.text)
        assert value["action"] in ("left", "right")
        assert isinstance(value["belief"], int | float)  # its grammar knows no ranges of numbers
        assert answer.extra["json_mode"] == "json_schema"


async def test_a_choice_agrees_with_the_exact_one_of_the_same_weights(model, smollm2):
    """Two paths to one number: llama.cpp computes with four-bit weights and eight-bit activations, so they agree only
    up to that: within 0.3 nats of the log-odds."""
    for question, options in [
        ("Is the sky blue? Answer Yes or No.", ("Yes", "No")),
        ("Which is larger, A: the sun, or B: the moon? Answer with one letter.", ("A", "B")),
    ]:
        request = ask(question, kind="choice", options=options)
        served, exact = await model.respond(request), await smollm2.respond(request)
        assert served.text == exact.text
        odds = [math.log(answer.probabilities[0] / answer.probabilities[1]) for answer in (served, exact)]
        assert odds[0] == pytest.approx(odds[1], abs=0.3)
        assert served.mass == pytest.approx(exact.mass, abs=0.1)


async def test_a_choice_among_what_it_never_says_is_refused(model):
    with pytest.raises(ModelError, match="none of"):
        await model.respond(ask("Is the sky blue?", kind="choice", options=("qqz", "zzq")))


async def test_a_prompt_that_is_too_long_has_its_own_kind(model):
    with pytest.raises(ModelError, match="context_length"):
        await model.respond(ask("word " * 3000, max_tokens=5))


async def test_fifty_concurrent_requests_each_get_their_own_answer(llama):
    """Each request asks, by its schema, for a number that no other request allows."""
    guarded = GuardedModel(connect(llama), GuardParams(timeout_s=300))
    requests = [
        ModelRequest(CallKey(0, f"a{number}", 0, 0), SHORT, "json", schema=one_number(1000 + number), max_tokens=32)
        for number in range(50)
    ]
    answers = await asyncio.gather(*map(guarded.respond, requests))
    assert [json.loads(answer.text) for answer in answers] == [{"n": 1000 + number} for number in range(50)]
    assert guarded.budget.used.calls == 50
    await guarded.close()


def one_number(number):
    return {"type": "object", "properties": {"n": {"const": number}}, "required": ["n"], "additionalProperties": False}


async def test_it_conforms_but_for_repeating_itself(model):
    await check_model(model, is_repeatable=False)


async def test_a_server_that_is_killed_and_started_again_loses_no_answer(tmp_path):
    with LlamaServer(slots=2) as server:
        store, budget = CallStore(tmp_path), Budget()
        guarded = GuardedModel(connect(server), GuardParams(timeout_s=60, retries=12), budget, store)
        requests = [
            ask(f"Tell me a long story about {number} birds.", seat=f"a{number}", max_tokens=40) for number in range(8)
        ]
        tasks = [asyncio.create_task(guarded.respond(request)) for request in requests]
        while len(store) < 2:  # noqa: ASYNC110 - the store knows nothing of loops
            await asyncio.sleep(0.05)
        server.kill()
        n_before = len(store)
        assert n_before < len(requests), "the kill came too late to hit a call in flight"
        server.launch()
        answers = await asyncio.wait_for(asyncio.gather(*tasks), 240)
        assert all(answer.text for answer in answers)
        assert len(store) == 8
        assert budget.used.calls > 8
        records = {record.request.key.seat: record for record in store.records()}
        assert sum(record.attempts > 1 for record in records.values()) == 8 - n_before
        assert [records[f"a{number}"].response for number in range(8)] == answers
        await guarded.close()
