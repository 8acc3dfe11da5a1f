"""Without the mark `real_model` no provider loads weights or opens a connection."""

import subprocess
import sys

import pytest
from asked import ask

from tidings.models.openai_compatible import OpenAICompatibleModel, OpenAICompatibleParams
from tidings.models.transformers.model import TransformersModel, TransformersParams
from tidings.models.transformers.weights import Weights


async def test_a_real_call_without_the_mark_is_refused():
    served = OpenAICompatibleModel.build(OpenAICompatibleParams(base_url="http://127.0.0.1:1/v1"), "x")
    local = TransformersModel("x", TransformersParams(), Weights("x", "/x", True))
    for model in (served, local):
        with pytest.raises(RuntimeError, match=r"pytest\.mark\.real_model"):
            await model.respond(ask())


def test_importing_the_providers_loads_none_of_the_heavy_libraries():
    code = (
        "import sys, tidings.models.transformers.model, tidings.models.openai_compatible, tidings.models.scripted\n"
        "print([name for name in ('torch', 'transformers', 'openai', 'polars', 'httpx') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
