"""Texts to vectors: the port, and embedders that need no package of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tidings.core import Embedder
from tidings.core.errors import ModelError, RequestError, TidingsError
from tidings.theory.hashing import hashed_vectors

__all__ = ["Embedder", "HashingEmbedder", "OpenAIEmbedder", "normalise_rows", "refuse_blank"]


class HashingEmbedder:
    """Vectors of hashed words and of the letters in them: no weights, the same in every process and on every machine.

    See `tidings.theory.hashing`. For tests, and as the floor a real embedding must beat.
    """

    def __init__(self, dim: int = 256) -> None:
        """Sets the length of the vectors.

        Args:
            dim: At least 8.

        Raises:
            RequestError: If `dim` is no integer of at least 8.
        """
        if isinstance(dim, bool) or not isinstance(dim, int) or dim < 8:
            raise RequestError("HashingEmbedder.dim", f"found {dim!r}", "an integer of at least 8")
        self._dim = dim

    @property
    def name(self) -> str:
        """`hashing-` and the length of the vectors."""
        return f"hashing-{self._dim}"

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self._dim

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Returns one vector of length 1 per text, float32 `[n_texts, dim]`.

        Raises:
            RequestError: If a text is blank.
        """
        refuse_blank(texts)
        return hashed_vectors(texts, self._dim).astype(np.float32)


class OpenAIEmbedder:
    """Vectors from an OpenAI-compatible address, through a client that is handed in: this module imports none.

    Servers may give a text other last digits in another batch. For runs that must repeat bit by bit, keep the index.
    """

    def __init__(self, create: Callable[..., Awaitable[Any]], model: str, dim: int, *, batch: int = 256) -> None:
        """Names the model.

        Args:
            create: For example the `embeddings.create` of an asynchronous OpenAI client: called with `model`, `input`
                (a list of texts) and `encoding_format`, it gives an object whose `data` has `index` and `embedding`.
            model: Id of the model at that address.
            dim: Length of its vectors.
            batch: Texts of one call, at most.

        Raises:
            RequestError: If `dim` or `batch` is below 1.
        """
        for what, value in (("dim", dim), ("batch", batch)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise RequestError(f"OpenAIEmbedder.{what}", f"found {value!r}", "an integer of at least 1")
        self._create, self._model, self._dim, self._batch = create, model, dim, batch

    @property
    def name(self) -> str:
        """`openai/`, the model and the length of the vectors."""
        return f"openai/{self._model}-{self._dim}"

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return self._dim

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Returns one vector of length 1 per text, float32 `[n_texts, dim]`.

        Raises:
            RequestError: If a text is blank.
            ModelError: If a call failed, or its answer is not one finite vector of length `dim` per text.
        """
        refuse_blank(texts)
        rows = np.empty((len(texts), self._dim))
        for start in range(0, len(texts), self._batch):
            batch = list(texts[start : start + self._batch])
            rows[start : start + len(batch)] = self._read(await self._call(batch), len(batch))
        return normalise_rows(rows)

    async def _call(self, texts: list[str]) -> Any:
        try:
            return await self._create(model=self._model, input=texts, encoding_format="float")
        except TidingsError:
            raise
        except TimeoutError:
            raise ModelError("timeout", "the embedding call took too long") from None
        except Exception as error:
            raise ModelError("request", f"the embedding call failed with {type(error).__name__}") from error

    def _read(self, answer: Any, n: int) -> npt.NDArray[np.float64]:
        try:
            by_index = {item.index: item.embedding for item in answer.data}
            rows = np.array([by_index[i] for i in range(n)], np.float64)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ModelError("server", "the embedding answer lacks a vector, or one is malformed") from None
        if rows.shape != (n, self._dim):
            raise ModelError("server", f"found embeddings of shape {rows.shape}, not {(n, self._dim)}")
        if not np.isfinite(rows).all() or not rows.any(axis=1).all():
            raise ModelError("server", "found an embedding that is zero or not finite")
        return rows


def refuse_blank(texts: Sequence[str]) -> None:
    """Raises `RequestError` if a text is blank: nothing has no direction."""
    for i, text in enumerate(texts):
        if not text.strip():
            raise RequestError(f"embed.texts[{i}]", f"found {text!r}", "text that is not blank")


def normalise_rows(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Returns the rows `[n, dim]`, none of them zero, at length 1, as float32."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
