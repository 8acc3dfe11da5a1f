"""The one place that knows the package `wordllama`: word embeddings whose weights come with the package."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tidings.core.errors import MissingPartError
from tidings.memory.embeddings import normalise_rows, refuse_blank

__all__ = ["WordLlamaEmbedder"]

_FIX = "pip install wordllama"


class WordLlamaEmbedder:
    """Vectors as the mean of trained token vectors, 256 numbers, without network or torch.

    The package's files are read directly and its code is not imported. Its loader looks for the tokenizer in a folder
    the package does not have and then asks the network; importing it sets the logging of the whole process; and it
    pads texts of one call to one length, so that a vector could depend on its neighbours in the last digits.
    """

    def __init__(self) -> None:
        """Reads weights and tokenizer (about 33 MB of float32, a fraction of a second).

        Raises:
            MissingPartError: If the package, or a file of it, is not there.
        """
        folder = _find_folder()
        self._tokenizer, self._weights = _load(folder)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    @property
    def name(self) -> str:
        """Package and model."""
        return "wordllama/l2_supercat-256"

    @property
    def dim(self) -> int:
        """Length of the vectors: 256."""
        return self._weights.shape[1]

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Returns one vector of length 1 per text, float32 `[n_texts, 256]`.

        Raises:
            RequestError: If a text is blank.
        """
        refuse_blank(texts)
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        means = [self._weights[item.ids].mean(axis=0, dtype=np.float64) for item in encoded]
        return normalise_rows(np.array(means).reshape(len(texts), self.dim))


def _find_folder() -> Path:
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise MissingPartError("embedder 'wordllama'", "found no package wordllama", "that optional package", _FIX)
    return Path(spec.submodule_search_locations[0])


def _load(folder: Path) -> tuple[Any, npt.NDArray[np.float32]]:
    weights = folder / "weights" / "l2_supercat_256.safetensors"
    tokenizer = folder / "tokenizers" / "l2_supercat_tokenizer_config.json"
    for file in (weights, tokenizer):
        if not file.is_file():
            raise MissingPartError(
                "embedder 'wordllama'", f"found no {file.name!r} in the package", "wordllama 0.4", _FIX
            )
    try:
        safetensors, tokenizers = import_module("safetensors.numpy"), import_module("tokenizers")
    except ImportError as error:
        raise MissingPartError(
            "embedder 'wordllama'", f"found no package {error.name!r}", "that optional package", _FIX
        ) from None
    return tokenizers.Tokenizer.from_file(str(tokenizer)), safetensors.load_file(weights)["embedding.weight"].astype(
        np.float32
    )
