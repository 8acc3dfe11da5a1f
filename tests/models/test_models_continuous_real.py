"""Continuous batching of the real local model, on the CPU at tiny size: greedy answers are those of dynamic batches."""

import asyncio

import pytest
from asked import ask

from tidings.core import ModelError
from tidings.models.transformers.model import TransformersModel, TransformersParams

pytestmark = [pytest.mark.real_model, pytest.mark.slow]


@pytest.fixture(scope="module")
def continuous(smollm2):
    params = TransformersParams(device="cpu", batching="continuous", max_batch_tokens=2048)
    model = TransformersModel.build(params, "smollm2")
    yield model
    asyncio.run(model.close())


async def test_greedy_answers_are_those_of_dynamic_batching_and_join_at_any_time(smollm2, continuous):
    requests = [ask(f"Count from 1 to {n}.", seat=f"a{n}", max_tokens=4 + 4 * n) for n in range(1, 5)]

    async def late(number: int):
        await asyncio.sleep(0.05 * number)
        return await continuous.respond(requests[number])

    joined = await asyncio.gather(*[late(number) for number in range(4)])
    alone = [await smollm2.respond(request) for request in requests]
    assert [answer.text for answer in joined] == [answer.text for answer in alone]
    assert [answer.tokens_out for answer in joined] == [answer.tokens_out for answer in alone]
    assert [answer.finish for answer in joined] == [answer.finish for answer in alone]


async def test_stop_texts_end_an_answer(smollm2, continuous):
    request = ask("Count from 1 to 9.", max_tokens=24, stop=("3",))
    assert (await continuous.respond(request)).text == (await smollm2.respond(request)).text


async def test_choices_are_exact_beside_it(smollm2, continuous):
    request = ask("Left or right?", kind="choice", options=("left", "right"))
    found, expected = await continuous.respond(request), await smollm2.respond(request)
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-4)


async def test_what_cannot_be_asked_is_said_and_the_rest_goes_on(continuous):
    with pytest.raises(ModelError, match="context_length"):
        await continuous.respond(ask("long " * 9000, max_tokens=4))
    assert (await continuous.respond(ask("Say hi.", max_tokens=6, temperature=0.9, seed=3))).text
