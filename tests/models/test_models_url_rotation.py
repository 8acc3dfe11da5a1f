"""Several addresses of one model: asked in turn, the dead ones passed over."""

import pytest
from asked import ask
from llama_server import free_port
from stub_server import StubServer, error, ok

from tidings.models.failures import AttemptError
from tidings.models.openai_compatible import OpenAICompatibleModel, OpenAICompatibleParams
from tidings.models.url_rotation import FIRST_REST_S, LONGEST_REST_S, UrlRotation


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_addresses_are_asked_in_turn():
    rotation = UrlRotation(3)
    assert [rotation.next() for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_one_that_fails_rests_longer_each_time_and_is_forgiven_when_it_answers():
    clock = Clock()
    rotation = UrlRotation(2, clock)
    for n_failures in range(1, 9):
        rest_s = min(LONGEST_REST_S, FIRST_REST_S * 2 ** (n_failures - 1))
        rotation.failed(1)
        assert [rotation.next() for _ in range(3)] == [0, 0, 0]
        clock.now += rest_s - 0.01
        assert rotation.next() == 0
        clock.now += 0.02
        assert rotation.next() == 1
    rotation.answered(1)
    rotation.failed(1)
    clock.now += FIRST_REST_S
    assert 1 in (rotation.next(), rotation.next())


def test_when_all_rest_the_one_that_rested_longest_is_asked():
    clock = Clock()
    rotation = UrlRotation(2, clock)
    rotation.failed(0)
    clock.now += 0.5
    rotation.failed(1)
    assert rotation.next() == 0


@pytest.mark.real_model
async def test_a_dead_server_among_two_costs_one_attempt():
    async with StubServer(lambda body, number: ok("fine")) as alive:
        dead = f"http://127.0.0.1:{free_port()}/v1"
        params = OpenAICompatibleParams(base_url=(dead, alive.base_url))
        model = OpenAICompatibleModel.build(params, "m")
        with pytest.raises(AttemptError, match="connection"):
            await model.respond(ask())
        for _ in range(5):
            assert (await model.respond(ask())).text == "fine"
        await model.close()
    assert len(alive.requests) == 5


@pytest.mark.real_model
@pytest.mark.parametrize(("status", "n_asked"), [(503, 1), (429, 3)])
async def test_a_gateway_without_a_server_rests_and_a_busy_server_does_not(status: int, n_asked: int):
    async with StubServer(lambda body, number: ok()) as well, StubServer(lambda body, number: error(status)) as ill:
        model = OpenAICompatibleModel.build(OpenAICompatibleParams(base_url=(ill.base_url, well.base_url)), "m")
        n_failed = 0
        for _ in range(6):
            try:
                await model.respond(ask())
            except AttemptError:
                n_failed += 1
        await model.close()
    assert len(ill.requests) == n_failed == n_asked
