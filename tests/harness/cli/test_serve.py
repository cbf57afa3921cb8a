"""The index of a store and ``splitbrain serve``: what is shown, and what is not."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.index import index_page
from harness.cli.main import run_command
from harness.cli.serve import LOOPBACK, make_server
from tests.reports.hostile import TEXTS

RUN = "kv/raft/20260102T030405.000001Z"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    run = path / RUN
    run.mkdir(parents=True)
    plan = {"target": "kv/raft", "cluster": "sim", "seed": 7, "nemesis": ["kill"], "workload": "register", "bug": "b"}
    (run / "plan.json").write_text(json.dumps(plan))
    (run / "results.json").write_text(json.dumps({"verdict": "invalid", "reason": "a stale read"}))
    (run / "report.html").write_text("<p>the page</p>")
    (run / "history.jsonl").write_text("<script>alert(1)</script>\n")
    verification = path / "verify/20260102T030406.000001Z"
    verification.mkdir(parents=True)
    (verification / "verification.json").write_text(json.dumps({"verdict": "valid", "title": "ours", "claims": []}))
    (tmp_path / "secret").write_text("secret")
    (path / "outside").symlink_to(tmp_path / "secret")
    return path


@pytest.fixture
def port(store: Path) -> Iterator[int]:
    server = make_server(store, 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def ask(port: int, path: str, *, method: str = "GET", host: str | None = None) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"{LOOPBACK}:{port}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def test_the_index_lists_runs_and_verifications(store: Path) -> None:
    page = index_page(store)
    assert f'href="kv/raft/{RUN.rpartition("/")[2]}/report.html"' in page
    assert "kv/raft with bug b, register, kill" in page
    assert "a stale read" in page
    assert 'href="verify/20260102T030406.000001Z/index.html"' in page
    assert page.index("20260102T030406") < page.index("20260102T030405")  # the newest first


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_text_breaks_out_of_the_index(store: Path, text: str) -> None:
    plain = index_page(store)
    (store / RUN / "results.json").write_text(json.dumps({"verdict": "invalid", "reason": text}))
    (store / RUN / "plan.json").write_text(json.dumps({"target": text, "seed": text, "bug": text}))
    page = index_page(store)
    assert page.count("<") == plain.count("<")
    assert page.count("<script>") == 1


def test_a_run_that_nobody_judged_is_listed(store: Path) -> None:
    (store / RUN / "results.json").unlink()
    assert "not judged" in index_page(store)


def test_report_of_a_store_is_its_index(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["report", str(store)]) == 0
    assert capsys.readouterr().out.strip() == str(store / "index.html")
    assert (store / "index.html").read_text() == index_page(store)


def test_pages_and_files_are_served(port: int) -> None:
    status, headers, body = ask(port, "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "a stale read" in body
    assert ask(port, f"/{RUN}/report.html")[2] == "<p>the page</p>"
    status, headers, body = ask(port, f"/{RUN}/history.jsonl")
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert ask(port, "/", method="HEAD")[2] == ""


@pytest.mark.parametrize(
    "path", ["/outside", "/../secret", "/%2e%2e/secret", "/nothing", f"/{RUN}", "/%00", "//etc/passwd"]
)
def test_nothing_outside_the_store_is_served(port: int, path: str) -> None:
    status, _, body = ask(port, path)
    assert status == 404
    assert "secret" not in body.replace("%2e%2e/secret", "")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8008", "127.0.0.1.evil.example:80"])
def test_other_names_of_this_machine_are_refused(port: int, host: str) -> None:
    assert ask(port, "/", host=host)[0] == 403


def test_nothing_can_be_changed(port: int) -> None:
    assert ask(port, "/", method="POST")[0] == 501


def test_what_cannot_be_served_is_said(
    tmp_path: Path, store: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["serve", "--store", str(tmp_path / "none")]) == 254
    assert "there is no store" in capsys.readouterr().err
    assert run_command(["serve", "--store", str(store), "--port", str(port)]) == 255
    assert "choose another --port" in capsys.readouterr().err
