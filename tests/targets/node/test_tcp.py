"""A node on the network: who is answered where, what is lost with a connection, and that nothing comes twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from targets.node import tcp

ROOT = Path(__file__).parent.parent.parent.parent
PATIENCE_S = 20.0


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("10.0.0.1:7000", ("10.0.0.1", 7000)),
        ("[fd5b::1]:7", ("fd5b::1", 7)),
        ("fd5b::1:7", ("fd5b::1", 7)),
        ("n1:0", ("n1", 0)),
    ],
)
def test_a_place(text: str, where: tuple[str, int]) -> None:
    assert tcp.place(text) == where
    assert tcp.peer(f"n1={text}") == ("n1", where)


@pytest.mark.parametrize("text", ["", "n1", ":7", "n1:", "n1:x", "n1:65536", "n1:-1"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|invalid literal"):
        tcp.place(text)


@pytest.mark.parametrize("text", ["n1", "=n1:7", "n1=n1"])
def test_what_is_no_peer(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        tcp.peer(text)


class Nodes:
    """Nodes on this machine's loopback, as other processes; the tests are the harness and the clients."""

    def __init__(self, directory: Path, names: tuple[str, ...]) -> None:
        self._directory, self.names = directory, names
        self._reserved = [_reserved_port() for _ in names]
        self.ports = {name: sock.getsockname()[1] for name, sock in zip(names, self._reserved, strict=True)}
        if sys.platform != "linux":
            self._release()  # elsewhere nobody may listen beside it
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        for name in self.names:
            self.start(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._processes):
            self.kill(name)
        self._release()

    def _release(self) -> None:
        for sock in self._reserved:
            sock.close()

    def start(self, name: str) -> None:
        argv = [sys.executable, "-m", "targets.node", "echo", "--data", str(self._directory / name)]
        argv += ["--listen", f"127.0.0.1:{self.ports[name]}"]
        for peer, port in self.ports.items():
            argv += ["--peer", f"{peer}=127.0.0.1:{port}"]
        with (self._directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=ROOT)
        self._processes[name] = process
        self.say(name, "sb", {"type": "init", "msg_id": 1, "node_id": name, "node_ids": list(self.names)})
        assert self.hear(name)["body"] == {"type": "init_ok", "in_reply_to": 1}

    def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.communicate()

    def say(self, name: str, src: str, body: dict[str, Any]) -> None:
        """On the node's standard input."""
        stdin = self._processes[name].stdin
        assert stdin is not None
        stdin.write(json.dumps({"src": src, "dest": name, "body": body}).encode() + b"\n")
        stdin.flush()

    def hear(self, name: str) -> dict[str, Any]:
        """The next line of the node's standard output."""
        stdout = self._processes[name].stdout
        assert stdout is not None
        message: dict[str, Any] = json.loads(stdout.readline())
        return message

    def log(self, name: str) -> str:
        return (self._directory / f"{name}.log").read_text(encoding="utf-8")

    @contextlib.contextmanager
    def call(self, name: str) -> Iterator[Client]:
        with socket.create_connection(("127.0.0.1", self.ports[name]), PATIENCE_S) as sock:
            yield Client(sock)


class Client:
    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE_S)
        self._sock, self._file = sock, sock.makefile("rb")
        self._asked = 0

    def write(self, data: bytes) -> None:
        self._sock.sendall(data)

    def ask(self, src: str, type_: str, **fields: Any) -> dict[str, Any]:
        self._asked += 1
        message = {"src": src, "dest": "n", "body": {"type": type_, "msg_id": self._asked, **fields}}
        self.write(json.dumps(message).encode() + b"\n")
        reply: dict[str, Any] = json.loads(self._file.readline())
        assert (reply["dest"], reply["body"]["in_reply_to"]) == (src, self._asked)
        return dict(reply["body"])


def _reserved_port() -> socket.socket:
    """Holds a port without listening, so that nobody else is given it, also while its node is dead."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    return sock


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Nodes]:
    with Nodes(tmp_path, ("n1", "n2")) as nodes:
        yield nodes


@pytest.mark.process
def test_everybody_is_answered_where_they_asked(pair: Nodes) -> None:
    with pair.call("n1") as one, pair.call("n1") as two:
        assert one.ask("c1", "echo", echo=1)["echo"] == 1
        assert two.ask("c2", "echo", echo=2)["echo"] == 2
        assert one.ask("c3", "echo", echo=3)["echo"] == 3  # two clients by one connection
        pair.say("n1", "sb", {"type": "sb_ping", "msg_id": 2})
        assert pair.hear("n1")["body"]["type"] == "sb_ping_ok"
        assert one.ask("c1", "relay", to="n2", patience_s=PATIENCE_S)["reached"] is True


@pytest.mark.process
def test_a_node_can_send_to_itself_and_to_nobody(pair: Nodes) -> None:
    with pair.call("n1") as client:
        client.ask("c1", "shout", to="n9", notes=1)
        assert pair.hear("n1")["dest"] == "n9"
        client.ask("c1", "shout", to="n1", notes=1)
        assert pair.hear("n1")["dest"] == "n1"


@pytest.mark.process
def test_what_is_sent_to_a_client_that_hung_up_is_lost(pair: Nodes) -> None:
    with pair.call("n1") as client:
        client.ask("c1", "echo", echo=1)
    with pair.call("n1") as other:
        other.ask("c2", "shout", to="c1", notes=3)
        pair.say("n1", "sb", {"type": "sb_ping", "msg_id": 2})
        assert pair.hear("n1")["body"]["type"] == "sb_ping_ok"  # and nothing for c1 before it


@pytest.mark.process
def test_messages_arrive_once_and_in_order_or_not_at_all_whatever_becomes_of_the_peer(pair: Nodes) -> None:
    with pair.call("n1") as client:
        for life in range(3):
            client.ask("c1", "shout", to="n2", notes=50)
            with pair.call("n2") as far:
                heard: list[int] = []
                while len(heard) < 50:
                    heard = far.ask("c9", "heard", by="n1")["numbers"]
                assert heard == list(range(50)), life
            pair.kill("n2")
            assert client.ask("c1", "relay", to="n2", patience_s=0.3)["reached"] is False
            pair.start("n2")
            while not client.ask("c1", "relay", to="n2", patience_s=1.0)["reached"]:
                pass


@pytest.mark.process
def test_a_line_that_is_no_message_is_told_in_the_log_and_harms_nobody(pair: Nodes) -> None:
    with pair.call("n1") as bad, pair.call("n1") as good:
        bad.write(b'nonsense\n[]\n{"src": 5}\n{"src": "c1", "dest": "n1", "body": []}\n')
        assert bad.ask("c1", "echo", echo=1)["echo"] == 1
        assert good.ask("c2", "echo", echo=2)["echo"] == 2
    assert pair.log("n1").count('"event":"malformed"') == 4


@pytest.mark.process
def test_a_port_that_is_taken_is_an_end_with_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        argv = [sys.executable, "-m", "targets.node", "echo", "--listen", where]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "address already in use" in done.stderr


def test_an_outbox_keeps_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "WAITING_BYTES_MAX", 100)

    async def scenario() -> list[bytes]:
        received: list[bytes] = []
        done = asyncio.Event()

        class Sink(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                received.append(data)
                done.set()

        server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
        outbox = tcp._Outbox(server.sockets[0].getsockname())
        for number in range(20):
            outbox.send(b"%09d\n" % number)
        await done.wait()
        assert outbox._transport is not None
        outbox._transport.close()
        server.close()
        await server.wait_closed()
        return received

    assert b"".join(asyncio.run(scenario())) == b"".join(b"%09d\n" % number for number in range(10))
