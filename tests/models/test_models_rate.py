import asyncio

import pytest

from tidings.models.rate import ConcurrencyGate, TokenBucket


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_bucket_lets_a_burst_through_and_then_the_rate():
    bucket = TokenBucket(120, Clock(), burst_s=1.0)  # 2 a second
    assert [bucket.take(1) for _ in range(6)] == pytest.approx([0, 0, 0, 0.5, 1.0, 1.5])


def test_bucket_never_passes_its_rate_in_any_minute():
    clock = Clock()
    bucket = TokenBucket(60, clock, burst_s=1.0)
    times = []
    for number in range(300):
        clock.now = 0.37 * number
        times.append(clock.now + bucket.take(1))
    assert times == sorted(times)
    for start in times:
        assert sum(start <= t < start + 60 for t in times) <= 62


def test_bucket_fills_again_but_not_beyond_its_burst():
    clock = Clock()
    bucket = TokenBucket(60, clock, burst_s=2.0)
    clock.now = 1000.0
    assert [bucket.take(1) for _ in range(4)] == pytest.approx([0, 0, 0, 1.0])


def test_a_large_request_is_let_through_and_paid_for_by_the_next():
    bucket = TokenBucket(60, Clock())
    assert bucket.take(30) == 0
    assert bucket.take(1) == pytest.approx(29)


def test_what_was_taken_too_much_is_given_back():
    bucket = TokenBucket(60, Clock())
    bucket.take(30)
    bucket.correct(-25)
    assert bucket.take(1) == pytest.approx(4)


async def test_gate_holds_at_most_its_cap_and_serves_in_order():
    gate, order, inside, most = ConcurrencyGate(3), [], 0, 0

    async def call(number):
        nonlocal inside, most
        await gate.enter()
        inside += 1
        most = max(most, inside)
        order.append(number)
        await asyncio.sleep(0)
        inside -= 1
        gate.leave()

    await asyncio.gather(*(call(number) for number in range(20)))
    assert most == 3
    assert order == list(range(20))
    assert gate.n_inside == 0


async def test_refusals_of_one_congestion_halve_once_and_answers_win_back_slowly():
    gate = ConcurrencyGate(16)
    eras = [await gate.enter() for _ in range(16)]
    for era in eras:
        gate.refused(era)
    assert gate.allowed == 8
    for _ in eras:
        gate.leave()
    gate.refused(await gate.enter())
    assert gate.allowed == 1  # one was inside
    gate.leave()
    gate.answered()
    assert gate.allowed == 2
    for _ in range(2):
        gate.answered()
    assert 2.8 < gate.allowed < 3
    for _ in range(1000):
        gate.answered()
    assert gate.allowed == 16


async def test_an_open_gate_closes_to_half_of_what_was_inside():
    gate = ConcurrencyGate()
    eras = [await gate.enter() for _ in range(10)]
    gate.refused(eras[0])
    assert gate.allowed == 5
    late = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    for _ in range(5):
        gate.leave()
    await asyncio.sleep(0)
    assert not late.done()
    gate.leave()
    await late
    assert gate.n_inside == 5


async def test_a_waiter_that_gives_up_leaves_no_hole():
    gate = ConcurrencyGate(1)
    await gate.enter()
    first, second = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    gate.leave()
    await asyncio.wait_for(second, 1)
    assert gate.n_inside == 1


async def test_a_waiter_cancelled_in_the_moment_it_is_let_in_gives_its_place_back():
    gate = ConcurrencyGate(1)
    await gate.enter()
    waiter = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    gate.leave()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert gate.n_inside == 0
