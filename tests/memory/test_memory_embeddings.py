from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.core.errors import LimitError, MissingPartError, ModelError, RequestError
from tidings.memory import Embedder, HashingEmbedder, OpenAIEmbedder, WordLlamaEmbedder

texts_strategy = st.lists(st.text(min_size=1, max_size=30).filter(str.strip), max_size=8)


def openai_answer(*vectors: list[float]) -> SimpleNamespace:
    return SimpleNamespace(data=[SimpleNamespace(index=i, embedding=vector) for i, vector in enumerate(vectors)])


@settings(deadline=None)
@given(texts=texts_strategy, dim=st.sampled_from((8, 64, 256)))
async def test_hashing_gives_unit_vectors_that_do_not_depend_on_the_batch(texts: list[str], dim: int) -> None:
    embedder = HashingEmbedder(dim)
    together = await embedder.embed(texts)
    assert together.shape == (len(texts), dim)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-6)
    for text, row in zip(texts, together, strict=True):
        assert (await embedder.embed([text]))[0].tobytes() == row.tobytes()


async def test_hashing_is_the_same_everywhere() -> None:
    """Golden: place (bits 1-3) and sign (bit 0, 1 is plus) of the features of `ab`, from `printf ... | b2sum -l 64`."""
    vector = (await HashingEmbedder(8).embed(["ab"]))[0]
    expected = np.zeros(8)
    expected[4] = -1.0  # ab: 0e52b5f187de1088
    expected[6] = 0.5  # 3<ab: f3a4f0f4208bbd3d
    expected[5] = -0.5  # 3ab>: f42cffbd191ef31a
    expected /= np.linalg.norm(expected)
    assert vector == pytest.approx(expected.astype(np.float32))


async def test_hashing_knows_letters_but_no_meaning() -> None:
    clock, clocks, sofa, same = await HashingEmbedder().embed(
        ["brass clock", "brass clocks", "red sofa", "Brass CLOCK!"]
    )
    assert clock @ clocks > 0.6 > 0.3 > abs(clock @ sofa)
    assert clock.tobytes() == same.tobytes()


async def test_hashing_does_not_know_the_order_of_words() -> None:
    a, b = await HashingEmbedder(16).embed(
        ["seven old brass clocks of one tower", "tower one of clocks brass old seven"]
    )
    assert a.tobytes() == b.tobytes()


async def test_hashing_takes_punctuation_for_a_word() -> None:
    a, b, c = await HashingEmbedder().embed(["?!", " ?! ", "..."])
    assert a.tobytes() == b.tobytes() != c.tobytes()


@pytest.mark.parametrize("dim", [7, 0, 8.0, True])
def test_hashing_wants_a_length(dim) -> None:
    with pytest.raises(RequestError, match=r"HashingEmbedder\.dim: found"):
        HashingEmbedder(dim)


async def test_openai_batches_orders_and_normalises() -> None:
    calls = []

    async def create(**request):
        calls.append(request)
        answer = openai_answer(*[[3.0, 4.0] if text == "a" else [0.0, 9.0] for text in request["input"]])
        answer.data.reverse()
        return answer

    embedder = OpenAIEmbedder(create, "some-model", 2, batch=2)
    vectors = await embedder.embed(["a", "bb", "ccc"])
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(np.array([[0.6, 0.8], [0.0, 1.0], [0.0, 1.0]]))
    assert [(call["model"], call["input"]) for call in calls] == [("some-model", ["a", "bb"]), ("some-model", ["ccc"])]
    assert (embedder.name, embedder.dim) == ("openai/some-model-2", 2)
    assert (await embedder.embed([])).shape == (0, 2)


@pytest.mark.parametrize(
    "answer",
    [
        openai_answer([1.0, 0.0]),
        openai_answer([1.0], [1.0]),
        openai_answer([1.0, 0.0], [0.0, 0.0]),
        openai_answer([1.0, 0.0], [float("nan"), 0.0]),
        openai_answer([1.0, 0.0], ["x", 0.0]),
        openai_answer([1.0, 0.0], [1.0]),
        SimpleNamespace(),
        None,
    ],
)
async def test_openai_refuses_answers_that_are_no_vectors(answer) -> None:
    async def create(**_):
        return answer

    with pytest.raises(ModelError) as caught:
        await OpenAIEmbedder(create, "m", 2).embed(["a", "b"])
    assert caught.value.kind == "server"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (OSError("secret key sk-123"), "request"),
        (ModelError("rate_limit", "x"), "rate_limit"),
    ],
)
async def test_openai_failures_are_typed_and_tell_no_secrets(error: Exception, kind: str) -> None:
    async def create(**_):
        raise error

    with pytest.raises(ModelError) as caught:
        await OpenAIEmbedder(create, "m", 2).embed(["a"])
    assert caught.value.kind == kind
    assert "sk-123" not in str(caught.value)


async def test_openai_lets_a_reached_cap_through() -> None:
    async def create(**_):
        raise LimitError("calls", 1, 1)

    with pytest.raises(LimitError):
        await OpenAIEmbedder(create, "m", 2).embed(["a"])


@pytest.mark.parametrize("options", [{"dim": 0}, {"dim": 2, "batch": 0}, {"dim": 2.0}])
def test_openai_wants_counts(options) -> None:
    with pytest.raises(RequestError, match="an integer of at least 1"):
        OpenAIEmbedder(None, "m", **options)


async def test_nothing_has_no_direction() -> None:
    for embedder in (HashingEmbedder(), OpenAIEmbedder(None, "m", 2)):
        assert isinstance(embedder, Embedder)
        with pytest.raises(RequestError, match=r"embed.texts\[1\]: found ' '"):
            await embedder.embed(["a", " "])


def test_importing_loads_no_model_package() -> None:
    """One seam per outside thing: the room alone loads neither clients nor tokenisers."""
    names = "{'openai', 'wordllama', 'tokenizers', 'safetensors', 'torch', 'transformers'}"
    script = f"import sys, tidings.memory; print(sorted({names} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.memory.wordllama.find_spec", lambda _: None)
    with pytest.raises(
        MissingPartError, match="found no package wordllama; that optional package; pip install wordllama"
    ):
        WordLlamaEmbedder()


def test_a_package_without_its_files_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr("tidings.memory.wordllama.find_spec", lambda _: spec)
    with pytest.raises(MissingPartError, match=r"found no 'l2_supercat_256.safetensors' in the package"):
        WordLlamaEmbedder()


@pytest.mark.real_model
@pytest.mark.skipif(find_spec("wordllama") is None, reason="the package wordllama is not installed")
async def test_wordllama_knows_meaning() -> None:
    embedder = WordLlamaEmbedder()
    texts = ["The car would not start.", "My automobile broke down.", "We baked bread.", "a " * 500]
    vectors = await embedder.embed(texts)
    assert vectors.shape == (4, 256)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    for text, row in zip(texts, vectors, strict=True):
        assert (await embedder.embed([text]))[0].tobytes() == row.tobytes()


@pytest.mark.real_model
@pytest.mark.skipif(find_spec("wordllama") is None, reason="the package wordllama is not installed")
def test_wordllama_agrees_with_the_package_itself() -> None:
    """Second path: the package's own code, given its folder as cache so that it finds its tokenizer."""
    script = (
        "import logging, pathlib, sys, wordllama, numpy as np\n"
        "folder = pathlib.Path(wordllama.__file__).parent\n"
        "model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)\n"
        "np.save(sys.argv[1], model.embed(sys.argv[2:], norm=True))\n"
    )
    texts = ["The car would not start.", "My automobile broke down.", "We baked bread; näh 🎉"]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/vectors.npy"
        subprocess.run([sys.executable, "-W", "ignore", "-c", script, path, *texts], check=True, capture_output=True)
        expected = np.load(path)
    assert asyncio.run(WordLlamaEmbedder().embed(texts)) == pytest.approx(expected, abs=1e-6)
