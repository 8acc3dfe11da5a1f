import dataclasses

import pytest

from tidings.core import ModelError, ModelResponse
from tidings.models.conformance import ModelConformanceError, check_model
from tidings.models.guard import GuardedModel
from tidings.models.scripted import ScriptedModel, ScriptedParams


def scripted():
    return ScriptedModel.build(ScriptedParams(), "any")


async def test_the_scripted_model_conforms_bare_and_guarded():
    await check_model(scripted())
    await check_model(GuardedModel(scripted()))


class Spoiled:
    """A conforming model with one thing wrong."""

    def __init__(self, kind=None, name="scripted/any", kinds=None, **changes):
        self.inner, self.kind, self.changes, self.name = scripted(), kind, changes, name
        self.kinds = self.inner.kinds if kinds is None else kinds
        self.n = 0

    async def respond(self, request):
        self.n += 1
        if request.kind not in self.kinds:
            raise ModelError("request", "no")
        answer = await self.inner.respond(request)
        if request.kind != self.kind:
            return answer
        return dataclasses.replace(answer, **{k: v(self.n) if callable(v) else v for k, v in self.changes.items()})

    async def close(self): ...


async def test_fewer_kinds_conform_too():
    await check_model(Spoiled(kinds=frozenset(("text",))))


@pytest.mark.parametrize(
    ("model", "promise"),
    [
        (Spoiled(name="nameless"), "name"),
        (Spoiled(kinds=frozenset()), "kinds"),
        (Spoiled("text", text=" "), "empty answer"),
        (Spoiled("text", tokens_out=13), "max_tokens"),
        (Spoiled("text", finish="done"), "finish"),
        (Spoiled("text", model=""), "name the model"),
        (Spoiled("text", tokens_in=-1), "negative"),
        (Spoiled("text", extra={"x": (1, 2)}), "read back"),
        (Spoiled("text", text="ka ne ta ru lo mi"), "stop text"),
        (Spoiled("text", text=lambda n: f"{n}"), "alone"),
        (Spoiled("json", text="no json"), "no JSON"),
        (Spoiled("json", text='{"action": "up"}'), "does not fit"),
        (Spoiled("choice", probabilities=None), "need probabilities"),
        (Spoiled("choice", probabilities=(0.5, 0.5)), "one probability an option"),
        (Spoiled("choice", probabilities=(0.5, 0.5, 0.5)), "sum to 1"),
        (Spoiled("choice", probabilities=(0.2, 0.2, 0.6), text="A"), "most probable"),
        (Spoiled("choice", mass=0.0), "mass"),
        (Spoiled("choice", mass=1.5), "mass"),
        (Spoiled("score", text="x"), "text must be empty"),
        (Spoiled("score", logprobs=()), "log-probability a token"),
        (Spoiled("score", logprobs=(0.5,)), "no log-probability"),
    ],
)
async def test_each_broken_promise_is_found(model, promise):
    with pytest.raises(ModelConformanceError, match=promise):
        await check_model(model)


async def test_a_model_that_answers_what_it_does_not_offer_is_found():
    model = scripted()
    with pytest.raises(ModelConformanceError, match="yet answered"):
        await check_model(Offering(model, frozenset(("text",))))


class Offering:
    def __init__(self, inner, kinds):
        self.inner, self.kinds, self.name = inner, kinds, inner.name

    async def respond(self, request) -> ModelResponse:
        return await self.inner.respond(request)

    async def close(self): ...
