"""``splitbrain serve``: the store in a browser. Loopback only, reading only, nothing outside the store."""

from __future__ import annotations

import mimetypes
import webbrowser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from harness.cli.index import index_page
from harness.errors import ClusterError, PlanError

LOOPBACK = "127.0.0.1"
# Names by which a browser may ask for this server: another name that resolves to loopback is somebody else's page (DNS rebinding).
HOSTS = frozenset({"127.0.0.1", "localhost"})
# Pages bring a policy of their own; whatever else lies in a store (logs, histories) is shown as text and may do nothing.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
CHUNK_BYTES = 1 << 20


@click.command()
@click.option(
    "--store", "store_path", type=click.Path(path_type=Path), default=Path("store"), show_default=True, metavar="DIR"
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8008, show_default=True, metavar="N", help="0: any free one."
)
@click.option("--open", "open_browser", is_flag=True, help="Open it in a browser, too.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def serve(store_path: Path, port: int, open_browser: bool, debug: bool) -> int:  # noqa: ARG001 - see main
    """Show the runs in a store in a browser, on this machine alone, until interrupted."""
    if not store_path.is_dir():
        raise PlanError(f"there is no store {store_path}: run something first, or name another one with --store")
    server = make_server(store_path, port)
    address = f"http://{LOOPBACK}:{server.server_port}/"
    click.echo(f"{address} shows {store_path}; end with ^C", err=True)
    if open_browser:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("", err=True)
    finally:
        server.server_close()
    return 0


def make_server(store_path: Path, port: int) -> ThreadingHTTPServer:
    """A server of ``store_path`` on loopback; port 0 is any free one. Raises ClusterError if the port is taken."""
    root = store_path.resolve()

    class Handler(StoreHandler):
        store, shown = root, store_path

    try:
        return ThreadingHTTPServer((LOOPBACK, port), Handler)
    except OSError as error:
        raise ClusterError(f"cannot listen on {LOOPBACK}:{port} ({error.strerror}): choose another --port") from error


class StoreHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD: the index, and files of the store."""

    store: Path
    shown: Path
    server_version = "splitbrain"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - nobody reads them
        """Requests are not logged."""

    def _answer(self, *, body: bool) -> None:
        if self.headers.get("Host", "").rpartition(":")[0] not in HOSTS:
            return self.send_error(HTTPStatus.FORBIDDEN, "this server answers to 127.0.0.1 and localhost alone")
        path = unquote(urlsplit(self.path).path)
        if path == "/":
            return self._send(PAGE, index_page(self.shown).encode(), body=body)
        file = self._file(path)
        if file is None:
            return self.send_error(HTTPStatus.NOT_FOUND, "there is no such file in the store")
        return self._send_file(file, body=body)

    def _file(self, path: str) -> Path | None:
        """The file that is meant, if it lies in the store: links are followed, but not out of it."""
        if "\0" in path:
            return None
        try:
            file = (self.store / path.lstrip("/")).resolve(strict=True)
        except (OSError, RuntimeError):
            return None
        return file if file.is_file() and file.is_relative_to(self.store) else None

    def _send_file(self, file: Path, *, body: bool) -> None:
        with file.open("rb") as source:
            size = source.seek(0, 2)
            source.seek(0)
            self._head(PAGE if file.suffix == ".html" else _type_of(file), size)
            while body and (chunk := source.read(CHUNK_BYTES)):
                self.wfile.write(chunk)

    def _send(self, kind: str, content: bytes, *, body: bool) -> None:
        self._head(kind, len(content))
        if body:
            self.wfile.write(content)

    def _head(self, kind: str, size: int) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        for name, value in HEADERS.items():
            if name != "Content-Security-Policy" or kind != PAGE:
                self.send_header(name, value)
        self.end_headers()


def _type_of(file: Path) -> str:
    """What a store holds is text for people, but for pictures; never a type that a browser would run."""
    guessed = mimetypes.guess_type(file.name)[0] or ""
    return guessed if guessed in ("image/png", "image/jpeg") else TEXT
