import asyncio
import dataclasses
import time

import pytest
from asked import ask

from tidings.core import LimitError, ModelError, ModelResponse, RequestError
from tidings.log.branched_calls import BranchedCalls
from tidings.log.calls import CallStore
from tidings.models.budget import Budget, Caps
from tidings.models.failures import AttemptError
from tidings.models.guard import GuardedModel, GuardParams, backoff_s
from tidings.models.scripted import ScriptedModel, ScriptedParams
from tidings.spec.errors import validate


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self):
        self.now, self.naps = 0.0, []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.naps.append(seconds)
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


class Script:
    """A model that does what its list says, call by call."""

    def __init__(self, *acts, name="openai/test"):
        self.acts, self.name, self.asked = list(acts), name, []
        self.kinds = frozenset(("text", "json"))

    async def respond(self, request):
        self.asked.append(request)
        act = self.acts.pop(0) if self.acts else ModelResponse("fine", "m", 10, 5)
        if isinstance(act, Exception):
            raise act
        return act

    async def close(self):
        self.is_closed = True


def guard(model, *, budget=None, calls=None, clock=None, **params):
    clock = clock or FakeTime()
    return GuardedModel(model, GuardParams(**params), budget, calls, sleep=clock.sleep, clock=clock)


async def test_a_failure_that_may_pass_is_tried_again_with_doubling_waits():
    clock, model = FakeTime(), Script(*[AttemptError(kind, "x") for kind in ("server", "connection", "timeout")])
    assert (await guard(model, clock=clock).respond(ask(seed=5))).text == "fine"
    assert clock.naps == [backoff_s(5, 1), backoff_s(5, 2), backoff_s(5, 3)]
    assert 0.25 <= clock.naps[0] < 0.75
    assert 1.0 <= clock.naps[2] < 3.0


async def test_waits_come_from_the_requests_seed():
    assert backoff_s(1, 1) == backoff_s(1, 1) != backoff_s(2, 1)
    assert all(30 <= backoff_s(seed, 30) < 90 for seed in range(50))


@pytest.mark.parametrize("kind", ["request", "context_length", "refusal", "empty"])
async def test_a_failure_for_good_is_not_tried_again(kind):
    model = Script(ModelError(kind, "x"))
    with pytest.raises(ModelError, match=kind):
        await guard(model).respond(ask())
    assert len(model.asked) == 1


async def test_after_its_retries_the_failure_stays():
    model = Script(*[AttemptError("server", f"x{i}") for i in range(9)])
    with pytest.raises(ModelError, match="x3"):
        await guard(model, retries=3).respond(ask())
    assert len(model.asked) == 4


async def test_retry_after_is_honoured():
    clock, model = FakeTime(), Script(AttemptError("rate_limit", "x", 20.0))
    guarded = guard(model, clock=clock)
    await guarded.respond(ask())
    assert 20.0 <= clock.naps[0] < 20.5


async def test_a_refusal_holds_back_the_calls_of_all_seats():
    clock, model = FakeTime(), Script(AttemptError("rate_limit", "x", 30.0))
    guarded = guard(model, clock=clock, retries=0)
    with pytest.raises(ModelError, match="rate_limit"):
        await guarded.respond(ask())
    clock.now = 10.0
    await guarded.respond(ask(seat="a1"))
    assert clock.naps == [20.0]


async def test_the_server_that_asks_for_less_than_the_backoff_gets_the_backoff():
    clock = FakeTime()
    await guard(Script(AttemptError("rate_limit", "x", 0.001)), clock=clock).respond(ask(seed=3))
    assert clock.naps[0] == backoff_s(3, 1)


async def test_requests_a_minute():
    clock = FakeTime()
    guarded = guard(Script(), clock=clock, rpm=60)
    for _ in range(5):
        await guarded.respond(ask())
    assert clock.now == pytest.approx(3.0, abs=0.01)


async def test_tokens_a_minute_count_what_was_used():
    clock = FakeTime()
    guarded = guard(Script(), clock=clock, tpm=15 * 60)  # one call of 15 tokens a second
    for _ in range(11):
        await guarded.respond(ask(max_tokens=500))
    assert clock.now == pytest.approx(10, abs=1.6)


async def test_concurrency_is_capped_and_falls_on_refusals():
    inside = most = 0

    class Slow(Script):
        async def respond(self, request):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            return ModelResponse("fine", "m", 1, 1)

    guarded = guard(Slow(), concurrency=4)
    await asyncio.gather(*(guarded.respond(ask(seat=f"a{i}")) for i in range(20)))
    assert most == 4
    refusing = guard(Script(AttemptError("rate_limit", "x")), concurrency=8)
    await refusing.respond(ask())
    assert refusing._gate.allowed < 8


async def test_an_attempt_that_takes_too_long_is_a_timeout():
    model = ScriptedModel.build(validate(ScriptedParams, {"latency_s": 30.0}), "slow")
    with pytest.raises(ModelError, match=r"timeout: no answer within 0\.05 s"):
        await GuardedModel(model, GuardParams(timeout_s=0.05, retries=0)).respond(ask())


async def test_a_timeout_inside_the_model_is_not_taken_for_the_guards_own():
    with pytest.raises(TimeoutError):
        await guard(Script(TimeoutError("a bug"))).respond(ask())


async def test_a_cap_ends_the_run_before_the_call():
    model = Script()
    guarded = guard(model, budget=Budget(Caps(calls=2)))
    await guarded.respond(ask())
    await guarded.respond(ask(step=1))
    with pytest.raises(LimitError, match=r"limits\.calls"):
        await guarded.respond(ask(step=2))
    assert len(model.asked) == 2


async def test_attempts_count_as_calls_and_failed_ones_use_no_tokens():
    budget = Budget()
    guarded = guard(Script(AttemptError("server", "x")), budget=budget, price_in=1.0, price_out=2.0)
    await guarded.respond(ask())
    assert (budget.used.calls, budget.used.tokens_in, budget.used.tokens_out) == (2, 10, 5)
    assert budget.used.usd == pytest.approx(20e-6)


async def test_tokens_a_server_does_not_count_are_taken_at_their_largest(tmp_path):
    """In the account and in the record, from which a resumed run opens its account again, and a fork its own."""
    budget, calls = Budget(), CallStore(tmp_path)
    model = Script(ModelResponse("fine", "m", extra={"tokens_unknown": True}))
    request = ask("x" * 300, max_tokens=50)
    await guard(model, budget=budget, calls=calls).respond(request)
    assert budget.used.tokens_out == 50
    assert budget.used.tokens_in >= 100
    branch = BranchedCalls(tmp_path / "branch", [(calls, lambda same: same)])
    assert branch.lookup(request, "openai/test") == ModelResponse("fine", "m", extra={"tokens_unknown": True})
    for store in (calls, branch):
        (record,) = store.records()
        assert (record.tokens_in, record.tokens_out) == (budget.used.tokens_in, budget.used.tokens_out)


async def test_a_long_wait_past_the_cap_on_time_ends_the_run_at_once():
    clock = FakeTime()
    budget = Budget(Caps(seconds=100), clock=clock)
    with pytest.raises(LimitError, match=r"limits\.seconds"):
        await guard(Script(AttemptError("rate_limit", "x", 3600.0)), budget=budget, clock=clock).respond(ask())
    assert clock.now == 0


def test_a_cap_on_money_needs_a_price_unless_the_provider_is_free():
    with pytest.raises(RequestError, match="price_in"):
        guard(Script(), budget=Budget(Caps(usd=1.0)))
    guard(Script(name="scripted/x"), budget=Budget(Caps(usd=1.0)))


async def test_nothing_stays_in_flight_after_failures_and_cancelled_calls():
    budget = Budget(Caps(tokens=10_000))
    guarded = guard(Script(ValueError("a bug")), budget=budget, concurrency=1)
    with pytest.raises(ValueError, match="a bug"):
        await guarded.respond(ask())
    slow = GuardedModel(ScriptedModel.build(ScriptedParams(latency_s=30.0), "s"), GuardParams(), budget)
    task = asyncio.create_task(slow.respond(ask()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (budget._n_held, budget._held_tokens) == (0, 0)
    assert guarded._gate.n_inside == slow._gate.n_inside == 0


async def test_the_scenarios_sampling_beats_the_seats():
    model = Script()
    guarded = guard(model, temperature=0.5, max_tokens=9)
    await guarded.respond(ask(temperature=1.0, top_p=0.9))
    assert (model.asked[0].temperature, model.asked[0].max_tokens, model.asked[0].top_p) == (0.5, 9, 0.9)


def test_the_guards_settings_are_told_from_the_providers():
    params = GuardParams.of({"rpm": 5, "latency_s": 3, "answers": ["x"]})
    assert params == GuardParams(rpm=5)


async def test_a_kind_the_model_does_not_know_is_refused_before_it_costs():
    budget = Budget()
    with pytest.raises(ModelError, match="cannot answer 'score'"):
        await guard(Script(), budget=budget).respond(ask(kind="score", continuation="x"))
    assert budget.used.calls == 0


async def test_calls_are_recorded_and_answered_from_the_record(tmp_path):
    store, budget, model = CallStore(tmp_path), Budget(), Script(AttemptError("server", "x"))
    guarded = guard(model, budget=budget, calls=store, price_in=1.0, price_out=1.0)
    answer = await guarded.respond(ask(seed=1))
    assert await guarded.respond(ask(seed=1)) == answer
    assert len(model.asked) == 2
    assert (budget.used.calls, budget.used.cached) == (2, 1)
    (record,) = store.records()
    assert (record.attempts, record.tokens_in, record.cost_usd) == (2, 10, pytest.approx(15e-6))
    assert record.response == answer
    assert abs(record.started - time.time()) < 60


async def test_equal_prompts_of_two_seats_stay_two_samples(tmp_path):
    model = Script()
    guarded = guard(model, calls=CallStore(tmp_path))
    for key in ({"seat": "a0"}, {"seat": "a1"}, {"step": 1}, {"draw": 1}):
        await guarded.respond(ask(**key))
    assert len(model.asked) == 4


async def test_without_cache_the_call_is_made_again(tmp_path):
    model = Script()
    guarded = guard(model, calls=CallStore(tmp_path), cache=False)
    await guarded.respond(ask())
    await guarded.respond(ask())
    assert len(model.asked) == 2


async def test_a_failed_call_is_recorded_and_made_again_on_resume(tmp_path):
    store = CallStore(tmp_path)
    failure = AttemptError("request", "no", detail="status 400: it said so")
    with pytest.raises(ModelError):
        await guard(Script(failure), calls=store).respond(ask())
    (record,) = store.records()
    assert (record.error.kind, record.error.detail) == ("request", "status 400: it said so")
    assert (await guard(Script(), calls=CallStore(tmp_path)).respond(ask())).text == "fine"


async def test_a_thousand_seats_cost_little(tmp_path):
    guarded = GuardedModel(ScriptedModel.build(ScriptedParams(answers=("x",)), "fast"), calls=CallStore(tmp_path))
    requests = [ask(seat=f"a{i}") for i in range(1000)]
    began = time.process_time()
    await asyncio.gather(*map(guarded.respond, requests))
    assert time.process_time() - began < 1.0  # measured: 0.08 ms a call, record on disk included
    assert len(CallStore(tmp_path)) == 1000


def test_a_failure_survives_its_way_through_a_process_boundary():
    import pickle

    failure = AttemptError("rate_limit", "x", 3.0, "detail")
    again = pickle.loads(pickle.dumps(failure))
    assert (again.kind, again.message, again.retry_after_s, again.detail) == ("rate_limit", "x", 3.0, "detail")


async def test_close_closes_the_model():
    model = Script()
    await guard(model).close()
    assert model.is_closed


async def test_the_request_itself_is_never_changed():
    request = ask()
    before = dataclasses.asdict(request)
    await guard(Script(), temperature=0.5).respond(request)
    assert dataclasses.asdict(request) == before
