"""The embedding calls of an OpenAI-compatible address, repeated when their failure may pass."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from tidings.models.failures import PASSING_KINDS, AttemptError, check_real_calls_allowed
from tidings.models.openai_client import OFFICIAL_URL, Clients, attempt, find_key

__all__ = ["EmbeddingCalls", "Embeddings"]

_ATTEMPTS = 5
_FIRST_WAIT_S = 0.5
_TIMEOUT_S = 120.0


class _Vector(msgspec.Struct):
    index: int
    embedding: list[float]


class Embeddings(msgspec.Struct):
    """What the server answers, as far as it is read."""

    data: list[_Vector]


class EmbeddingCalls:
    """Makes the calls that `tidings.memory.OpenAIEmbedder` needs."""

    def __init__(self, base_url: str = OFFICIAL_URL, api_key_env: str | None = None, name: str = "openai") -> None:
        """Keeps what is needed to connect; connects to nothing yet.

        Args:
            base_url: The address.
            api_key_env: Environment variable that holds the key; only api.openai.com has a default.
            name: What needs the key, for errors.

        Raises:
            MissingPartError: If the environment holds no key where one is needed.
        """
        self._url, self._name, self._clients = base_url, name, Clients()
        self._key = find_key(base_url, api_key_env, f"embedder: {name}")

    async def create(self, **fields: Any) -> Embeddings:
        """Returns the answer to one call with the fields of `POST /embeddings`.

        Raises:
            AttemptError: If the last of five attempts failed, or one failed for good.
            RuntimeError: If real model calls are forbidden (see `tidings.models.failures`).
        """
        check_real_calls_allowed(self._name)
        for number in range(_ATTEMPTS):
            try:
                return await self._once(fields)
            except AttemptError as error:
                if error.kind not in PASSING_KINDS or number + 1 == _ATTEMPTS:
                    raise
                await asyncio.sleep(max(error.retry_after_s or 0.0, _FIRST_WAIT_S * 2.0**number))
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, fields: dict[str, Any]) -> Embeddings:
        create = self._clients.of(self._url, self._key).embeddings.with_raw_response.create
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                body = await attempt(lambda: create(**fields), self._key, lambda _: None)
        except TimeoutError:
            raise AttemptError("timeout", "the server did not answer in time") from None
        try:
            return msgspec.json.decode(body, type=Embeddings)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise AttemptError("server", "the embedding answer lacks a vector, or one is malformed") from None
