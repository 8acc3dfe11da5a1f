"""The server: who gets an answer, and what nobody gets."""

import hashlib
import http.client
import json
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest
from viewer_runs import evil, gossip, write_run

from tidings.analysis.report import write_report
from tidings.analysis.run import load_run
from tidings.analysis.viewer import Library, ViewerServer
from tidings.analysis.viewer.server import STATIC
from tidings.core import DataError, RequestError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    out = tmp_path_factory.mktemp("runs")
    write_run(out / "gossip", nx.cycle_graph(8), [gossip()])
    write_run(out / "evil", nx.path_graph(3), [evil()])
    (out / "secret.txt").write_text("nobody may read this")
    server = ViewerServer(Library([out]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(
    server: ViewerServer, path: str, *, token: bool = True, method: str = "GET", host: str = "", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    if token:
        connection.putheader("Cookie", f"{server.cookie}={server.token}")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


EVERYTHING = ("/", "/viewer.js", "/viewer.css", "/icon.svg", "/data/runs", "/data/run/x", "/nothing")


@pytest.mark.parametrize("path", EVERYTHING)
def test_without_the_token_nothing_is_told(server: ViewerServer, path: str) -> None:
    for token in ("", "?token=", f"?token={server.token[:-1]}", f"?token={server.token}x", "?token=é"):
        status, headers, body = ask(server, path + token.replace("é", "%C3%A9"), token=False)
        assert status == 403
        assert "set-cookie" not in headers
        assert server.token.encode() not in body
    assert ask(server, path, token=False, Cookie=f"{server.cookie}=wrong")[0] == 403
    assert ask(server, path, token=False, Cookie="a=b; =; ,;")[0] == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", "127.0.0.1.nip.io:{port}"],
)
def test_a_host_that_is_not_loopback_is_refused_with_the_right_token(server: ViewerServer, host: str) -> None:
    assert ask(server, "/data/runs", host=host.format(port=server.server_port))[0] == 403
    assert ask(server, f"/?token={server.token}", host=host.format(port=server.server_port))[0] == 403
    assert ask(server, "/data/runs", host=f"localhost:{server.server_port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"])
def test_only_reading_is_answered(server: ViewerServer, method: str) -> None:
    assert ask(server, "/data/runs", method=method)[0] == 405


@pytest.mark.parametrize("path", ["/", "/viewer.js", "/data/runs", "/data/run/nobody", "/nothing"])
def test_every_answer_carries_the_strict_headers(server: ViewerServer, path: str) -> None:
    for token in (True, False):
        _, headers, _ = ask(server, path, token=token)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


def test_the_page_puts_the_token_into_a_cookie_that_scripts_cannot_read(server: ViewerServer) -> None:
    status, headers, body = ask(server, f"/?token={server.token}", token=False)
    assert status == 200
    assert headers["set-cookie"] == f"{server.cookie}={server.token}; HttpOnly; SameSite=Strict; Path=/"
    assert b"<script>" not in body
    assert b"style=" not in body
    assert b"http" not in body.replace(b"http-equiv", b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/data/../../secret.txt", "/%2e%2e/secret.txt", "/static/../server.py", "/server.py",
        "/data/run/../0", "/data/run/gossip", "/data/run/%2e%2e/0/events/0", "//etc/passwd", "/data//etc/passwd",
        "/data/run/{id}/0/events/-1", "/data/run/{id}/0/events/1e9", "/data/run/{id}/0/events/%D9%A3", "http://[",
        "/data/run/{id}/0/call/../0",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_tables(server: ViewerServer, path: str) -> None:
    (name, *_) = (row["id"] for row in server.library.runs() if row["label"] == "gossip")
    status, _, body = ask(server, path.replace("{id}", name))
    assert status == (400 if "[" in path else 404)
    assert b"nobody may read this" not in body
    assert b"root:" not in body


def test_a_report_is_shown_without_scripts_and_in_an_origin_of_its_own(server: ViewerServer) -> None:
    (row,) = (row for row in server.library.runs() if row["label"] == "evil")
    path = server.library.catalog.paths[row["id"]] / "report.html"
    assert server.library.get(f"run/{row['id']}")["report"] == ""
    assert ask(server, f"/report/{row['id']}")[0] == 404
    written = write_report(load_run(path.parent))
    assert written == path
    status, headers, body = ask(server, f"/report/{row['id']}")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert body == path.read_bytes()
    policy = headers["content-security-policy"]
    style = b64encode(hashlib.sha256(body.split(b"<style>")[1].split(b"</style>")[0]).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'")
    assert policy.endswith("; sandbox allow-scripts")
    assert "script-src" not in policy
    assert ask(server, f"/report/{row['id']}", token=False)[0] == 403
    assert ask(server, f"/report/{row['id']}", host="evil.example")[0] == 403
    for wrong in ("", "nobody", "../secret.txt", "%2e%2e/secret.txt", f"{row['id']}/../x"):
        assert ask(server, f"/report/{wrong}")[0] == 404
    assert server.library.get(f"run/{row['id']}")["report"] == "current"
    os.utime(path, (1, 1))
    assert server.library.get(f"run/{row['id']}")["report"] == "old"
    path.unlink()


def test_data_that_is_not_there_and_data_that_cannot_be_read_are_told_apart(server: ViewerServer) -> None:
    (row,) = (row for row in server.library.runs() if row["label"] == "gossip")
    assert ask(server, f"/data/run/{row['id']}/7")[0] == 422
    assert ask(server, f"/data/run/{row['id']}/0/events/999")[2] == b"[]"
    status, _, body = ask(server, f"/data/run/{row['id']}/0/search?q=f3%20is%20V3")
    assert status == 200
    assert json.loads(body)
    assert ask(server, f"/data/run/{row['id']}/0/search")[0] == 404


def test_it_listens_on_loopback_only_and_tells_a_taken_port(server: ViewerServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    with pytest.raises(RequestError, match=r"--port: cannot bind"):
        ViewerServer(server.library, server.server_port)
    assert len(server.token) >= 40
    assert server.token not in repr(server)


def test_every_file_of_the_front_end_is_built(server: ViewerServer) -> None:
    for name, kind in STATIC.items():
        status, headers, body = ask(server, f"/{name}")
        assert (status, headers["content-type"]) == (200, kind)
        assert body
    assert sum(len(body) for body in server.static.values()) < 1_500_000


def test_the_front_end_was_built_from_the_sources_in_the_repository(server: ViewerServer) -> None:
    folder = Path(__file__).parents[2] / "viewer"
    digest = hashlib.sha256()
    for path in [*sorted((folder / "src").iterdir()), folder / "package-lock.json"]:
        digest.update(path.read_bytes())
    first = server.static["viewer.js"].split(b"\n", 1)[0].decode()
    assert first == f"// sources {digest.hexdigest()}", "run `make viewer`"


def test_a_source_that_is_no_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        Library([tmp_path / "missing"])
