"""An llm seat with the real local model: that the whole path works, not that the model is clever."""

import asyncio

import pytest
from agent_stubs import context, message, observe

from tidings.agents.llm import LLMAgent, LLMParams
from tidings.core import ChoiceSpec, MissingPartError, NumberSpec, StructuredSpec

pytestmark = [pytest.mark.real_model, pytest.mark.slow]

SPEC = StructuredSpec(
    {
        "belief": NumberSpec(0.0, 1.0, "How likely is it, from 0 to 1, that it rains?"),
        "action": ChoiceSpec(("stay", "sail"), "What do you decide?"),
    }
)


@pytest.fixture
def model(monkeypatch):
    monkeypatch.delenv("TIDINGS_FORBID_REAL_MODELS", raising=False)
    pytest.importorskip("torch")
    from tidings.models.transformers.model import TransformersModel, TransformersParams

    try:
        return TransformersModel.build(TransformersParams(), "smollm2")
    except MissingPartError as missing:
        pytest.skip(str(missing))


async def test_belief_and_action_with_exact_probabilities(model):
    seats = [LLMAgent.build(LLMParams(), context(model, f"a{i}")) for i in range(4)]
    views = [observe([message("I see dark clouds.")], f"a{i}", seed=i) for i in range(4)]

    async def play():
        return await asyncio.gather(*[seat.act(view, SPEC) for seat, view in zip(seats, views, strict=True)])

    try:
        replies = await play()
        assert await play() == replies
    finally:
        await model.close()
    for reply in replies:
        assert SPEC.check(reply.action) == reply.action
        choice = next(thought for thought in reply.thoughts if thought.get("field") == "action")
        assert sum(choice["probabilities"].values()) == pytest.approx(1.0)
        assert 0 < choice["mass"] <= 1
        assert choice["probabilities"][reply.action["action"]] == max(choice["probabilities"].values())
