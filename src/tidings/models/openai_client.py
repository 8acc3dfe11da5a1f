"""Connections to OpenAI-compatible addresses: keys, clients, what failures mean. The only place that imports openai."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tidings.core import MissingPartError
from tidings.models.served_failures import connection_failure, status_failure, timeout_failure

if TYPE_CHECKING:
    import openai

__all__ = ["OFFICIAL_URL", "Clients", "attempt", "find_key"]

OFFICIAL_URL = "https://api.openai.com/v1"
_OFFICIAL_KEY = "OPENAI_API_KEY"
_NO_KEY = "none"
_CONNECT_S = 10.0
_AILING = frozenset({502, 503, 504})
"""Answers of what stands before a server that is not there."""


def find_key(url: str, variable: str | None, where: str) -> str:
    """Returns the key for an address. A key goes to no host that the scenario does not name it for.

    Args:
        url: The address.
        variable: Environment variable that holds the key; only api.openai.com has a default, `OPENAI_API_KEY`.
        where: What needs it, for the error.

    Raises:
        MissingPartError: If the environment holds no key where one is needed.
    """
    host = urlsplit(url).hostname or ""
    variable = variable or (_OFFICIAL_KEY if host == urlsplit(OFFICIAL_URL).hostname else None)
    if variable is None:
        return _NO_KEY
    key = os.environ.get(variable, "")
    if not key:
        fix = f"export {variable}=..., or name another variable in api_key_env"
        raise MissingPartError(where, f"the environment variable {variable} is empty", f"{host} needs a key", fix)
    return key


class Clients:
    """One client for each address. Connections belong to an event loop: a new loop gets new ones."""

    def __init__(self) -> None:
        """Connects to nothing yet."""
        self._clients: dict[str, openai.AsyncOpenAI] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def of(self, url: str, key: str) -> openai.AsyncOpenAI:
        """Returns the client of an address, for the running loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._clients, self._loop = {}, loop
        if url not in self._clients:
            self._clients[url] = _connect(url, key)
        return self._clients[url]

    async def close(self) -> None:
        """Closes the connections; a later request opens new ones."""
        clients, self._clients = self._clients, {}
        is_same_loop, self._loop = self._loop is asyncio.get_running_loop(), None
        if is_same_loop:
            for client in clients.values():
                await client.close()


async def attempt(send: Callable[[], Awaitable[Any]], key: str, note: Callable[[bool], None]) -> bytes:
    """Makes one request and returns the body of the answer.

    Args:
        send: Makes it, through `with_raw_response`.
        key: The key that must not be recorded.
        note: Told whether the address answered, be it with an error of its own.

    Raises:
        AttemptError: If there is no answer, or one with an error status.
    """
    import openai

    try:
        raw = await send()
    except openai.APITimeoutError as error:
        note(False)
        raise timeout_failure() from error
    except openai.APIConnectionError as error:
        note(False)
        raise connection_failure(str(error.__cause__ or error), key) from error
    except openai.APIStatusError as error:
        note(error.status_code not in _AILING)
        raise status_failure(error.status_code, error.response.headers, str(error.body or error), key) from error
    except asyncio.CancelledError:
        note(False)  # the caller's time limit: this address keeps callers waiting
        raise
    note(True)
    return raw.content


def _connect(url: str, key: str) -> openai.AsyncOpenAI:
    import openai

    host = urlsplit(url).hostname or ""
    is_loopback = host in ("localhost", "::1") or host.startswith("127.")
    is_official = host == urlsplit(OFFICIAL_URL).hostname
    omitted: Any = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
    timeout = openai.Timeout(None, connect=_CONNECT_S)
    # The guard retries and sets the time limit. A proxy of the environment cannot reach this machine's loopback, and
    # the organization of an OpenAI account is nobody else's business.
    return openai.AsyncOpenAI(
        api_key=key,
        base_url=url,
        max_retries=0,
        timeout=timeout,
        http_client=openai.DefaultAsyncHttpxClient(trust_env=False, timeout=timeout) if is_loopback else None,
        default_headers=None if is_official else omitted,
    )
