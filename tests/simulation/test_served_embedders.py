"""Vectors from a server on loopback: the same run as with vectors made here, asked once, failures that are typed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidings.core import MissingPartError, ModelError
from tidings.log.reader import read_rollouts
from tidings.models.openai_embeddings import EmbeddingCalls
from tidings.runner.execute import start_run
from tidings.runner.folder import RunFolder
from tidings.runner.progress import Progress
from tidings.runner.replay import replay_run
from tidings.simulation.embedders import make_embedder
from tidings.spec.embedders import ServedEmbedder
from tidings.spec.io import make_scenario
from tidings.theory.hashing import hashed_vectors

pytestmark = pytest.mark.real_model
DIM = 256
ITEM = {"id": "q", "kind": "number", "text": "3 + 4?", "gold": ["7"]}
LINES = [
    {"id": "l0", "time": 0, "session": "s0", "speaker": "a", "hearers": ["b"], "text": "I lent the kettle to Zed."},
    {"id": "l1", "time": 1, "session": "s1", "speaker": "b", "hearers": [], "text": "Zed keeps it all in the barn."},
]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_CACHE", str(tmp_path / "cache"))


def hashed(texts: list[str]) -> list[list[float]]:
    return hashed_vectors(texts, DIM).tolist()


@contextmanager
def server(answer: Callable[[dict[str, Any], int], tuple[int, bytes]] | None = None) -> Iterator[tuple[str, list[Any]]]:
    """Serves `POST /v1/embeddings`; gives the address and the bodies that came in."""
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            bodies.append(body | {"path": self.path})
            data = [{"index": i, "embedding": row} for i, row in enumerate(hashed(body["input"]))]
            status, content = (
                (200, json.dumps({"data": data}).encode()) if answer is None else answer(body, len(bodies))
            )
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{served.server_port}/v1", bodies
    finally:
        served.shutdown()
        served.server_close()


def model(request: Any) -> Any:
    properties = (request.schema or {}).get("properties", {})
    if "keywords" in properties:
        return {"keywords": ["kettle"], "window": 0, "query": "where is the kettle"}
    return {"answer": "barn"} if "answer" in properties else {"say": "I looked it up.", "side": "complete"}


def recall(folder: Path, embedder: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "archive.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    memory = {"kind": "fuzzy", "embedder": embedder}
    scenario = make_scenario(
        {
            "name": "recall",
            "graph": {"edges": [["a", "b"]]},
            "agents": [{"kind": "llm", "model": "m", "memory": memory, "nodes": "rest"}],
            "models": {"m": {"use": "scripted/m", "function": f"{__name__}:model"}},
            "environment": {
                "kind": "collaboration",
                "archive": str(folder / "archive.jsonl"),
                "items": [{"question": "Where is the kettle?", "asked": ["a", "b"], "options": ["barn", "mill"]}],
            },
            "rollouts": {"on_failure": "abstain"},
        }
    )
    return start_run(scenario, folder, Progress()).folder


def group(folder: Path, embedder: Any) -> Path:
    says = [{"kind": "scripted", "nodes": [f"a{i}"], "actions": [t] * 3} for i, t in enumerate(["7", "7", "9"])]
    scenario = make_scenario(
        {
            "name": "group",
            "graph": {"kind": "complete", "n": 3},
            "agents": says,
            "environment": {"kind": "deliberation", "items": [ITEM], "rounds": 1},
            "planner": {"kind": "self_organising", "embedder": embedder},
        }
    )
    return start_run(scenario, folder, Progress()).folder


def events(path: Path) -> list[Any]:
    ((_, lines),) = read_rollouts(RunFolder.open(path).events)
    return [line.event() for line in lines]


def without_names(path: Path) -> list[str]:
    return [str(event).replace("openai/hashed-256", "hashing-256") for event in events(path)]


@pytest.mark.parametrize("play", [recall, group])
def test_a_server_with_the_same_vectors_gives_the_same_run(play: Callable[..., Path], tmp_path: Path) -> None:
    with server() as (url, bodies):
        served = {"use": "openai/hashed", "dim": DIM, "base_url": url}
        path = play(tmp_path / "served", served)
        assert without_names(path) == without_names(play(tmp_path / "own", "hashing"))
        texts = [text for body in bodies for text in body["input"]]
        assert texts
        assert len(texts) == len(set(texts)), "a text was sent twice"
        assert {(body["path"], body["model"]) for body in bodies} == {("/v1/embeddings", "hashed")}
    # The server is gone: what was embedded once is enough.
    replay_run(path)
    assert events(play(tmp_path / "again", served)) == events(path)


def test_another_address_is_asked_anew(tmp_path: Path) -> None:
    with server() as (first, _), server() as (second, bodies):
        for url in (first, second):
            recall(tmp_path / url[-8:-3], {"use": "openai/hashed", "dim": DIM, "base_url": url})
        assert bodies


def test_a_server_that_fails_is_a_failure_of_the_seat(tmp_path: Path) -> None:
    with server(lambda body, n: (400, b'{"error": {"message": "no such model"}}')) as (url, _):
        path = recall(tmp_path, {"use": "openai/hashed", "dim": DIM, "base_url": url})
    failures = [event for event in events(path) if event.kind == "failure"]
    assert failures
    assert {event.data["error"] for event in failures} == {"request"}


async def test_what_may_pass_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.models.openai_embeddings._FIRST_WAIT_S", 0.01)
    good = json.dumps({"data": [{"index": 0, "embedding": [1.0, 0.0]}]}).encode()
    with server(lambda body, n: (429, b"{}") if n < 3 else (200, good)) as (url, bodies):
        answer = await EmbeddingCalls(url).create(model="m", input=["x"], encoding_format="float")
        assert answer.data[0].embedding == [1.0, 0.0]
        assert len(bodies) == 3


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"data": [{"index": 0}]}', b"\xff", b'{"data": [{"embedding": "x"}]}']
)
async def test_garbage_is_a_typed_failure(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.models.openai_embeddings._FIRST_WAIT_S", 0.01)
    with server(lambda body, n: (200, content)) as (url, _), pytest.raises(ModelError) as caught:
        await EmbeddingCalls(url).create(model="m", input=["x"], encoding_format="float")
    assert caught.value.kind == "server"


async def test_vectors_are_kept_bit_by_bit() -> None:
    texts = [f"text {i}" for i in range(1200)]
    with server() as (url, bodies):
        choice = ServedEmbedder(use="openai/hashed", dim=DIM, base_url=url)
        first = await make_embedder(choice).embed(texts)
        n_calls = len(bodies)
        again = await make_embedder(choice).embed([*texts[::-1], "one more"])
        assert len(bodies) == n_calls + 1
    assert first.tobytes() == again[:-1][::-1].tobytes()
    assert np.linalg.norm(first, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingPartError, match="OPENAI_API_KEY is empty"):
        make_embedder(ServedEmbedder(use="openai/text-embedding-3-small", dim=1536))
