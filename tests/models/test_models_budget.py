import asyncio
import math

import pytest
from asked import ask

from tidings.core import LimitError, RequestError
from tidings.models.budget import Budget, Caps, Usage, estimate_tokens_in
from tidings.models.prices import UNKNOWN, Price, price_of


async def spend(budget, tokens, used, usd=0.0, cost=0.0):
    held = await budget.reserve(tokens, usd)
    budget.settle(held, used, 0, cost)


async def test_calls_stop_at_their_cap():
    budget = Budget(Caps(calls=2))
    for _ in range(2):
        await spend(budget, 10, 10)
    with pytest.raises(LimitError, match=r"limits\.calls: the cap of 2 is reached \(2 used\)"):
        await budget.reserve(10, 0.0)


async def test_earlier_processes_count():
    budget = Budget(Caps(calls=5, tokens=100), Usage(calls=4, tokens_in=60, tokens_out=20))
    with pytest.raises(LimitError, match=r"limits\.tokens"):
        await budget.reserve(21, 0.0)
    await spend(budget, 20, 20)
    with pytest.raises(LimitError, match=r"limits\.calls"):
        await budget.reserve(1, 0.0)


async def test_tokens_in_flight_count_at_their_largest_and_waiters_use_what_is_given_back():
    budget = Budget(Caps(tokens=100))
    first = await budget.reserve(60, 0.0)
    second = asyncio.create_task(budget.reserve(60, 0.0))
    await asyncio.sleep(0)
    assert not second.done()
    budget.settle(first, 10, 5, 0.0)
    held = await asyncio.wait_for(second, 1)
    budget.settle(held, 60, 0, 0.0)
    assert budget.used.tokens == 75
    with pytest.raises(LimitError):
        await budget.reserve(26, 0.0)


async def test_a_waiter_hears_when_the_rest_is_spent():
    budget = Budget(Caps(tokens=100))
    first = await budget.reserve(60, 0.0)
    second = asyncio.create_task(budget.reserve(60, 0.0))
    await asyncio.sleep(0)
    budget.settle(first, 60, 0, 0.0)
    with pytest.raises(LimitError, match=r"60 used"):
        await asyncio.wait_for(second, 1)


async def test_a_waiter_that_gives_up_holds_nothing_back():
    budget = Budget(Caps(tokens=100))
    first = await budget.reserve(90, 0.0)
    large, small = asyncio.create_task(budget.reserve(100, 0.0)), asyncio.create_task(budget.reserve(20, 0.0))
    await asyncio.sleep(0)
    large.cancel()
    await asyncio.sleep(0)
    budget.settle(first, 0, 0, 0.0)
    budget.settle(await asyncio.wait_for(small, 1), 0, 0, 0.0)
    await asyncio.wait_for(budget.reserve(100, 0.0), 1)


async def test_no_mix_of_calls_in_flight_passes_a_cap():
    budget = Budget(Caps(tokens=1000, usd=0.5))
    spent = []

    async def call(number):
        try:
            held = await budget.reserve(50 + number, (50 + number) * 1e-3)
        except LimitError:
            return
        await asyncio.sleep(0)
        used = 30 + number % 21
        spent.append(used)
        budget.settle(held, used, 0, used * 1e-3)

    await asyncio.gather(*(call(number % 40) for number in range(200)))
    assert 400 < sum(spent) <= 500
    assert budget.used.usd == pytest.approx(sum(spent) * 1e-3)
    assert budget.used.usd <= 0.5


async def test_rounding_does_not_hold_back_the_last_call():
    amounts = (0.138, 0.583, 0.868, 0.822, 0.783, 0.065)  # added and taken away again they leave 4e-16
    budget = Budget(Caps(usd=3.259))
    for held in [await budget.reserve(1, usd) for usd in amounts]:
        budget.settle(held, 0, 0, 0.0)
    await asyncio.wait_for(budget.reserve(1, 3.259), 1)


async def test_time_is_capped_before_a_call_and_before_a_wait():
    now = 0.0
    budget = Budget(Caps(seconds=10), elapsed_s=4.0, clock=lambda: now)
    budget.check_time(5.9)
    with pytest.raises(LimitError, match=r"limits\.seconds"):
        budget.check_time(6.0)
    now = 6.0
    with pytest.raises(LimitError, match=r"limits\.seconds: the cap of 10 is reached \(10 used\)"):
        await budget.reserve(1, 0.0)


def test_a_cap_on_money_needs_a_price():
    with pytest.raises(RequestError, match="price_in and price_out"):
        Budget(Caps(usd=1.0)).check_price("openai/x", UNKNOWN)
    Budget(Caps(usd=1.0)).check_price("openai/x", Price(1.0, 2.0))
    Budget(Caps(tokens=1)).check_price("openai/x", UNKNOWN)
    with pytest.raises(RequestError, match="no known price"):
        Budget(Caps(usd=1.0), Usage(usd=math.nan))


async def test_calls_of_unknown_price_that_turn_up_later_close_the_account():
    budget = Budget(Caps(usd=1.0))
    budget.used.usd += math.nan
    with pytest.raises(LimitError, match=r"limits\.usd"):
        await budget.reserve(1, 0.0)


def test_prices():
    assert price_of("openai/x", 0.5, 2.0).cost_usd(1_000_000, 500_000) == pytest.approx(1.5)
    assert price_of("scripted/x", None, None).cost_usd(10, 10) == 0
    assert price_of("transformers/x", 1.0, 1.0).cost_usd(10**6, 0) == 1
    assert math.isnan(price_of("openai/x", None, None).cost_usd(1, 1))
    assert not price_of("openai/x", 1.0, None).is_known
    assert not price_of("scripted/x", 1.0, None).is_known


def test_the_estimate_of_prompt_tokens_is_above_four_bytes_a_token():
    text = "The quick brown fox jumps over the lazy dog. " * 20
    assert len(text) / 4 < estimate_tokens_in(ask(text)) < len(text) / 2
    assert estimate_tokens_in(ask("\u4f60\u597d")) >= 2
