import asyncio
import threading
import time

import pytest

from tidings.models.transformers.batcher import Batcher


class Batches:
    """Remembers every batch; answers with the job's double after `seconds`."""

    def __init__(self, seconds=0.0):
        self.seen, self.seconds, self.threads = [], seconds, set()

    def __call__(self, jobs):
        self.seen.append(list(jobs))
        self.threads.add(threading.current_thread())
        time.sleep(self.seconds)
        return [ValueError(job) if job < 0 else 2 * job for job in jobs]


@pytest.fixture
def run():
    return Batches()


def batcher(run, max_batch=8, max_size=1000, max_wait_s=0.02):
    return Batcher(run, max_batch, max_size, max_wait_s)


async def test_jobs_that_arrive_together_share_a_batch_and_get_their_own_result(run):
    queue = batcher(run)
    assert await asyncio.gather(*(queue.submit(job, "g") for job in range(5))) == [0, 2, 4, 6, 8]
    assert run.seen == [[0, 1, 2, 3, 4]]
    queue.close()


async def test_a_full_batch_does_not_wait(run):
    queue = batcher(run, max_batch=2, max_wait_s=30)
    await asyncio.wait_for(asyncio.gather(queue.submit(1, "g"), queue.submit(2, "g")), 5)
    queue.close()


async def test_a_lone_job_waits_no_longer_than_told(run):
    queue = batcher(run, max_wait_s=0.05)
    began = time.monotonic()
    assert await queue.submit(3, "g") == 6
    assert 0.04 < time.monotonic() - began < 3
    queue.close()


async def test_callers_that_came_in_turn_end_up_in_one_batch():
    # Two callers half a batch apart would else take turns for good, each alone in its batches.
    run = Batches(seconds=0.3)
    queue = batcher(run, max_wait_s=0.1)

    async def ask_again_and_again(caller):
        for _ in range(4):
            await queue.submit(caller, "g")

    first = asyncio.create_task(ask_again_and_again(1))
    await asyncio.sleep(0.2)
    await asyncio.gather(first, ask_again_and_again(2))
    assert [sorted(jobs) for jobs in run.seen] == [[1], [1, 2], [1, 2], [1, 2], [2]]
    queue.close()


async def test_groups_are_not_mixed_and_batches_are_first_come_first_served(run):
    queue = batcher(run)
    jobs = [queue.submit(number, "even" if number % 2 == 0 else "odd") for number in range(6)]
    await asyncio.gather(*jobs)
    assert run.seen == [[0, 2, 4], [1, 3, 5]]
    queue.close()


async def test_batches_stay_within_their_count_and_padded_size(run):
    queue = batcher(run, max_batch=3, max_size=100)
    await asyncio.gather(*(queue.submit(number, "g", size=10) for number in range(4)))
    await asyncio.gather(*(queue.submit(number, "g", size=size) for number, size in enumerate((40, 50, 10, 300, 1))))
    assert run.seen == [[0, 1, 2], [3], [0, 1], [2, 4], [3]] or run.seen == [[0, 1, 2], [3], [0, 1], [2], [3], [4]]
    assert len(run.threads) == 1
    queue.close()


async def test_an_error_reaches_its_own_caller_only(run):
    queue = batcher(run)
    good, bad = await asyncio.gather(queue.submit(1, "g"), queue.submit(-1, "g"), return_exceptions=True)
    assert good == 2
    assert isinstance(bad, ValueError)
    queue.close()


async def test_a_batch_that_breaks_breaks_for_all_and_the_next_one_runs():
    def broken_once(jobs, broken=[True]):  # noqa: B006
        if broken.pop() if broken else False:
            raise MemoryError("too large")
        return [0] * len(jobs)

    queue = batcher(broken_once)
    results = await asyncio.gather(queue.submit(1, "g"), queue.submit(2, "g"), return_exceptions=True)
    assert [type(result) for result in results] == [MemoryError, MemoryError]
    assert await queue.submit(3, "g") == 0
    queue.close()


async def test_a_caller_that_gives_up_leaves_the_queue():
    run = Batches(seconds=0.1)
    queue = batcher(run, max_wait_s=0.0)
    first = asyncio.create_task(queue.submit(1, "g"))
    await asyncio.sleep(0.05)
    second, third = asyncio.create_task(queue.submit(2, "g")), asyncio.create_task(queue.submit(3, "g"))
    await asyncio.sleep(0)
    second.cancel()
    assert (await first, await third) == (2, 6)
    assert run.seen == [[1], [3]]
    queue.close()


async def test_close_cancels_what_waits():
    run = Batches(seconds=0.2)
    queue = batcher(run, max_wait_s=0.0)
    first = asyncio.create_task(queue.submit(1, "g"))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(queue.submit(2, "g"))
    await asyncio.sleep(0)
    await asyncio.to_thread(queue.close)
    assert await first == 2
    with pytest.raises(asyncio.CancelledError):
        await second
    with pytest.raises(RuntimeError, match="closed"):
        await queue.submit(3, "g")
    queue.close()


def test_one_queue_serves_many_event_loops(run):
    queue = batcher(run, max_wait_s=0.0)
    assert [asyncio.run(queue.submit(job, "g")) for job in range(3)] == [0, 2, 4]
    queue.close()
