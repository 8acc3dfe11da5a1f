"""The local web server: loopback only, a token for everything, and nothing but reading.

* It binds 127.0.0.1 and answers only requests whose `Host` is loopback with its own port (DNS rebinding).
* The token is in the address that is printed. The page moves it into a cookie that no script can read and takes it out
  of the address; every other request must bring it. It is compared in constant time.
* Only GET. The pages may load scripts and styles from this server and nothing else (content security policy).
* Paths are looked up in tables: a request never becomes a path of the disk.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64encode
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tidings.analysis.viewer.library import Library, NotThereError
from tidings.core import RequestError

__all__ = ["CONTENT_POLICY", "STATIC", "ViewerServer", "read_static", "report_policy"]

STATIC = {
    "index.html": "text/html; charset=utf-8",
    "viewer.css": "text/css; charset=utf-8",
    "viewer.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "THIRD_PARTY.txt": "text/plain; charset=utf-8",
}
"""The files of the front end and their types."""

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def report_policy(report: bytes) -> str:
    """Returns the policy under which a report is shown: its own style sheet, no script, and an origin of its own.

    `default-src 'none'` already forbids scripts; the sandbox is there for the origin, and without `allow-scripts` it
    would also log an error for every script of a browser's own tools.
    """
    style, source = re.search(rb"<style>(.*?)</style>", report, re.DOTALL), "'none'"
    if style is not None:
        source = f"'sha256-{b64encode(sha256(style[1]).digest()).decode()}'"
    return (
        f"default-src 'none'; style-src {source}; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts"
    )


def read_static(name: str) -> bytes:
    """Returns one file of the front end; `name` is a key of `STATIC`."""
    return (files("tidings.analysis.viewer") / "static" / name).read_bytes()


class ViewerServer(ThreadingHTTPServer):
    """Serves the viewer until it is shut down.

    Attributes:
        token: What a request must bring.
        address: The address to open, token included.
    """

    daemon_threads = True

    def __init__(self, library: Library, port: int = 0) -> None:
        """Binds to loopback.

        Args:
            library: What there is to see.
            port: 0 takes a free one.

        Raises:
            RequestError: If the port is taken.
        """
        self.library, self.token = library, secrets.token_urlsafe(32)
        self.static = {name: read_static(name) for name in STATIC}
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise RequestError(
                "--port", f"cannot bind {port} ({error.strerror})", "a free port", "leave --port out"
            ) from None
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}
        self.cookie = f"tidings_view_{self.server_port}"

    @property
    def address(self) -> str:
        """The address to open, token included."""
        return f"http://127.0.0.1:{self.server_port}/?token={self.token}"

    def is_known(self, token: str) -> bool:
        """Returns whether this is the token, in constant time."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing about browsers that hang up."""


class _Handler(BaseHTTPRequestHandler):
    server_version = "tidings"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 60

    @property
    def _viewer(self) -> ViewerServer:
        assert isinstance(self.server, ViewerServer)
        return self.server

    def do_GET(self) -> None:
        try:
            url = urlsplit(self.path)
            query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        except ValueError:
            return self._refuse(400, "not an address")
        if self.headers.get("Host") not in self._viewer.hosts:
            self._refuse(403, "this viewer answers to its loopback address only")
        elif not self._has_token(query):
            self._refuse(403, "no token: open the address that `tidings view` printed")
        elif url.path.startswith("/data/"):
            self._data(url.path.removeprefix("/data/"), query)
        elif url.path.startswith("/report/"):
            self._report(url.path.removeprefix("/report/"))
        elif (name := url.path.removeprefix("/") or "index.html") in STATIC:
            self._send(200, self._viewer.static[name], STATIC[name], is_page=name == "index.html")
        else:
            self._refuse(404, "nothing is there")
        return None

    def __getattr__(self, name: str) -> Any:
        """Answers every method but GET with 405."""
        if name.startswith("do_"):
            return lambda: self._refuse(405, "only GET")
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Writes nothing: the terminal belongs to the user, and a token must not enter a log."""

    def _has_token(self, query: dict[str, str]) -> bool:
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get(self._viewer.cookie)
        except CookieError:
            cookie = None
        return any(self._viewer.is_known(token) for token in (query.get("token", ""), cookie.value if cookie else ""))

    def _data(self, path: str, query: dict[str, str]) -> None:
        try:
            body, status = self._viewer.library.json(path, query), 200
        except NotThereError as error:
            return self._refuse(404, str(error))
        except (RequestError, OSError) as error:
            return self._refuse(422, str(error))
        except Exception as error:  # a log that no rule foresaw: the page says so and goes on
            return self._refuse(500, f"{type(error).__name__}: {error}"[:500])
        return self._send(status, body, "application/json")

    def _report(self, name: str) -> None:
        try:
            body = self._viewer.library.report(name)
        except NotThereError as error:
            return self._refuse(404, str(error))
        except OSError as error:
            return self._refuse(422, str(error))
        return self._send(200, body, "text/html; charset=utf-8", policy=report_policy(body))

    def _refuse(self, status: int, words: str) -> None:
        self.close_connection = True
        self._send(status, words.encode(), "text/plain; charset=utf-8")

    def _send(self, status: int, body: bytes, kind: str, *, is_page: bool = False, policy: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        headers = dict(_HEADERS)
        if policy:
            headers["Content-Security-Policy"] = policy
        for name, value in headers.items():
            self.send_header(name, value)
        if is_page:
            cookie = f"{self._viewer.cookie}={self._viewer.token}; HttpOnly; SameSite=Strict; Path=/"
            self.send_header("Set-Cookie", cookie)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
