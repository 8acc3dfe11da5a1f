"""An OpenAI-compatible server for tests in a process of its own, whose answer is a function of the question alone.

So a run against it has the same bytes however often it is killed and started again.
"""

import asyncio
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

MODELS = Path(__file__).parents[1] / "models"
sys.path.insert(0, str(MODELS))

from llama_server import free_port  # noqa: E402


class AnsweringServer:
    """The server and its port, which stays the same; every answer takes `latency_s`.

    With `faults` it first answers most questions with 429, 500, garbage, half a connection, or not at all.
    """

    def __init__(self, latency_s: float = 0.05, *, faults: bool = False) -> None:
        self.port, self._latency_s, self._faults = free_port(), latency_s, faults
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "AnsweringServer":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def start(self) -> None:
        import socket

        command = [sys.executable, __file__, str(self.port), str(self._latency_s), str(int(self._faults))]
        self._process = subprocess.Popen(command)
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> bool:
        """Kills it with signal 9 and starts it again a little later."""
        self.kill()
        time.sleep(0.3)
        self.start()
        return True


async def _serve(port: int, latency_s: float, faults: bool) -> None:
    from stub_server import CUT, HANG, StubServer, error, ok

    wrong = (error(429, headers={"retry-after": "0.1"}), error(500), (200, {}, b"<html>so sorry"), CUT, HANG, ok(None))
    asked: set[str] = set()

    class Slow(StubServer):
        async def _answer(self, reader, writer):
            await asyncio.sleep(latency_s)
            await super()._answer(reader, writer)

    def decide(body: dict, number: int):
        said = sha256(repr((body["messages"], body.get("seed"))).encode()).hexdigest()[:6]
        if faults and said not in asked:
            asked.add(said)
            if (kind := int(said[:2], 16) % 8) < len(wrong):
                return wrong[kind]
        return ok(f"I say {said}.")

    server = Slow(decide)
    server._server = await asyncio.start_server(server._accept, "127.0.0.1", port)
    await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "1"))
