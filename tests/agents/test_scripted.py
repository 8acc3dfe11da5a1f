import asyncio
import time

import pytest
from agent_stubs import context, message, observe
from pydantic import ValidationError

from tidings.agents.conformance import TURNS, AgentConformanceError, check_agent
from tidings.agents.scripted import ScriptedAgent, ScriptedParams
from tidings.core import (
    ChoiceSpec,
    Event,
    NumberSpec,
    Reply,
    ReplyError,
    ScenarioError,
    StructuredSpec,
    TextSpec,
)
from tidings.spec.errors import validate

YES_NO = ChoiceSpec(("yes", "no"))
TEXT = TextSpec(60)


def agent(**params):
    return ScriptedAgent.build(validate(ScriptedParams, params), context())


def replied(n, seat="a0"):
    return [Event("reply", (seat,), {"action": "yes"}, seat) for _ in range(n)]


async def failure(seat, seen, spec):
    with pytest.raises(ReplyError) as raised:
        await seat.act(seen, spec)
    return raised.value.kind


def shout(observation, spec):
    return Reply(f"HEY from {observation.seat}", ({"about": "shout"},))


async def whisper(observation, spec):
    await asyncio.sleep(0)
    return "psst"


NOT_A_FUNCTION = 3


async def test_a_list_is_played_in_turn_and_ends():
    seat = agent(actions=["yes", "no"])
    assert (await seat.act(observe([]), YES_NO)).action == "yes"
    assert (await seat.act(observe(replied(1)), YES_NO)).action == "no"
    assert (await seat.act(observe([message("x", "a0"), *replied(1)]), YES_NO)).action == "no"
    overheard = Event("reply", ("a0", "a1"), {"action": "yes"}, "a1")
    assert (await seat.act(observe([overheard]), YES_NO)).action == "yes"
    assert await failure(seat, observe(replied(2)), YES_NO) == "script_ended"
    assert (await agent(actions=["yes", "no"], repeat=True).act(observe(replied(3)), YES_NO)).action == "no"


async def test_actions_by_step():
    seat = agent(by_step={"2": "no"})
    assert (await seat.act(observe([], step=2), YES_NO)).action == "no"
    assert await failure(seat, observe([], step=3), YES_NO) == "script_ended"


async def test_an_action_outside_the_spec_is_a_failure():
    assert await failure(agent(actions=["maybe"]), observe([]), YES_NO) == "not_an_option"
    assert await failure(agent(policy="constant", value=1.5), observe([]), NumberSpec(0, 1)) == "out_of_range"


async def test_functions_may_give_an_action_a_reply_or_an_awaitable():
    reply = await agent(function="test_scripted:shout").act(observe([]), TEXT)
    assert reply == Reply("HEY from a0", ({"about": "shout"},))
    assert (await agent(function="test_scripted:whisper").act(observe([]), TEXT)).action == "psst"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere", "need package.module:function"),
        ("no_such_module_here:f", "cannot import 'no_such_module_here'"),
        ("test_scripted:nothing", "has no 'nothing'"),
        ("test_scripted:NOT_A_FUNCTION", "is a int"),
    ],
)
def test_a_function_that_is_none_is_refused_at_once(path, words):
    with pytest.raises(ScenarioError, match=words):
        agent(function=path)


async def test_built_in_policies():
    assert (await agent(policy="constant", value="no").act(observe([]), YES_NO)).action == "no"
    said = agent(policy="talk", text="{seat} speaks at {step} {other}")
    assert (await said.act(observe([], step=4), TEXT)).action == "a0 speaks at 4 {other}"
    form = StructuredSpec({"text": TEXT, "to": TEXT}, optional=frozenset({"to"}))
    assert (await said.act(observe([], step=4), form)).action == {"text": "a0 speaks at 4 {other}"}
    assert await failure(said, observe([]), YES_NO) == "not_applicable"


async def test_random_draws_from_the_seed_of_the_turn():
    seat, spec = agent(), NumberSpec(0.0, 1.0)
    draws = [(await seat.act(observe([], seed=seed), spec)).action for seed in range(400)]
    assert len(set(draws)) == 400
    assert abs(sum(draws) / 400 - 0.5) < 4 * (1 / 12 / 400) ** 0.5
    assert (await agent(policy="random").act(observe([], seed=3), spec)).action == draws[3]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"actions": ["yes"], "policy": "random"}, "beside actions"),
        ({"policy": "constant"}, "missing for policy constant"),
        ({"value": 1}, "only constant uses it"),
        ({"policy": "random", "text": "x"}, "only talk uses it"),
        ({"repeat": True}, "only a list can start over"),
        ({"actions": []}, "actions"),
        ({"policy": "clever"}, "policy"),
    ],
)
def test_parameters_that_do_not_fit_together_are_refused(params, words):
    with pytest.raises((ValueError, ValidationError), match=words):
        agent(**params)


def test_conformance():
    assert check_agent(agent) == len(TURNS)
    assert check_agent(lambda: agent(policy="constant", value="yes")) == 3


class Broken:
    """Breaks one promise at a time."""

    made = 0

    def __init__(self, how):
        Broken.made += 1
        self.how, self.n, self.number = how, 0, Broken.made

    async def act(self, observation, spec):
        self.n += 1
        action = "yes" if isinstance(spec, ChoiceSpec) else None
        if action is None:
            raise ReplyError("not_applicable", "")
        if self.how == "declines":
            raise ReplyError("never", "")
        if self.how == "crashes":
            raise KeyError("x")
        if self.how == "changes":
            for event in observation.private:
                event.data["text"] = "changed"
        if self.how == "remembers":
            return Reply(action, ({"n": self.n},))
        if self.how == "is somebody":
            return Reply(action, ({"number": self.number},))
        if self.how == "mixes":
            self.busy = getattr(self, "busy", 0) + 1
            crowd = self.busy
            await asyncio.sleep(0.001)
            crowd = max(crowd, self.busy)
            self.busy -= 1
            return Reply(action, ({"crowd": crowd},))
        answers = {"default": "maybe", "plain": action}
        return {
            "no_reply": action,
            "sets failure": Reply(action, failure="x"),
            "bad thought": Reply(action, ({"x": {1}},)),
            "list": Reply(action, [{}]),
            "nan": Reply(action, ({"x": float("nan")},)),
        }.get(self.how, Reply(answers.get(self.how, action)))


@pytest.mark.parametrize(
    "how",
    [
        "declines",
        "crashes",
        "changes",
        "remembers",
        "is somebody",
        "mixes",
        "default",
        "no_reply",
        "sets failure",
        "bad thought",
        "list",
        "nan",
    ],
)
def test_the_conformance_suite_catches_each_broken_promise(how):
    assert check_agent(lambda: Broken("plain")) == 2
    with pytest.raises(AgentConformanceError):
        check_agent(lambda: Broken(how))


async def test_a_scripted_turn_is_far_below_sixty_microseconds():
    seats = [agent(policy="talk", text="ka lo") for _ in range(200)]
    views = [observe([message("x", "a0")]) for _ in range(200)]
    best = float("inf")
    for _ in range(20):
        start = time.process_time()
        await asyncio.gather(*[seat.act(view, TEXT) for seat, view in zip(seats, views, strict=True)])
        best = min(best, (time.process_time() - start) / 200)
    assert best < 60e-6
