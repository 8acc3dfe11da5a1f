"""A tiny OpenAI-compatible server on loopback whose every answer a test decides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
HANG = "hang"
"""Take the request and never answer."""
CUT = "cut"
"""Take the request and close the connection."""


def ok(text: str | None = "fine", **changes: Any) -> Answer:
    """Returns a well-formed completion; changes are fields of the choice, or `usage`."""
    usage = changes.pop("usage", {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10})
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}, **changes}
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "stub-1", "choices": [choice]}
    return 200, {}, json.dumps(body | ({"usage": usage} if usage else {})).encode()


def error(status: int, message: str = "no", headers: dict[str, str] | None = None, code: str | None = None) -> Answer:
    return status, headers or {}, json.dumps({"error": {"message": message, "code": code, "type": "t"}}).encode()


class StubServer:
    """Answers `POST .../chat/completions` with what `decide(request_body, number)` returns."""

    def __init__(self, decide: Callable[[dict[str, Any], int], Answer | str]) -> None:
        self.decide = decide
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> StubServer:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))))
        self.requests.append(body)
        self.headers.append(headers)
        decided = self.decide(body, len(self.requests))
        if decided == HANG:
            await asyncio.sleep(3600)
        if isinstance(decided, str):
            return
        status, more, content = decided
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(content)}", "content-type: application/json"]
        lines += [f"{name}: {value}" for name, value in more.items()]
        writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode() + content)
        await writer.drain()
