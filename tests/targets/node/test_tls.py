"""TLS without sockets: who shows a certificate of the run speaks and is named, all others are refused before they are heard."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from harness.clusters.certificates import CLIENTS, Certificates
from targets.node.tls import Credentials, Session, context_for

CERTIFICATES = Certificates(("n1", "n2"))


def credentials(node: str, *, asks: bool = True) -> Credentials:
    secrets = {"authority": CERTIFICATES.authority, "certificate": CERTIFICATES.nodes[node]}
    return Credentials(secrets, asks=asks)


def meet(caller: Session, called: Session, said: bytes = b"") -> bytes:
    """Carry bytes to and fro until nothing is left to carry; what the called end has heard. Raises ssl.SSLError."""
    heard = bytearray()
    caller.feed(b"")
    while data := caller.outgoing():
        heard += called.feed(data)
        caller.feed(called.outgoing())
        if caller.ready and said:
            caller.seal(said)
            said = b""
    return bytes(heard)


def client(own: str | None) -> Session:
    return Session(context_for(CERTIFICATES.authority, own), "n1")


def test_nodes_and_clients_speak_and_are_named() -> None:
    for caller, name in ((credentials("n2").calling("n1"), "n2"), (client(CERTIFICATES.clients), CLIENTS)):
        called = credentials("n1").called()
        assert meet(caller, called, b"hello\n") == b"hello\n"
        assert called.ready
        assert called.peer == name
        called.seal(b"x" * 100_000)
        assert caller.feed(called.outgoing()) == b"x" * 100_000


@pytest.mark.parametrize("kind", ["no-certificate", "other-authority", "expired-certificate"])
def test_whoever_shows_no_good_certificate_is_not_heard(kind: str) -> None:
    called = credentials("n1").called()
    with pytest.raises(ssl.SSLError):
        meet(client(CERTIFICATES.bad.get(kind)), called, b"hello\n")
    assert not called.ready
    assert called.outgoing()  # an alert says so


def test_a_server_that_asks_for_no_certificate_lets_everybody_in() -> None:
    called = credentials("n1", asks=False).called()
    assert meet(client(None), called, b"hello\n") == b"hello\n"
    assert called.peer == ""


@pytest.mark.parametrize("line", [b'{"src":"c1"}\n', b"GET / HTTP/1.0\r\n\r\n", bytes(range(64))])
def test_what_is_no_tls_is_refused(line: bytes) -> None:
    with pytest.raises(ssl.SSLError):
        credentials("n1").called().feed(line)


def test_a_node_that_is_another_one_is_not_spoken_to() -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        meet(credentials("n2").calling("n1"), credentials("n2").called())


def test_the_end_of_a_session_is_told_after_its_last_words() -> None:
    caller, called = client(CERTIFICATES.clients), credentials("n1").called()
    meet(caller, called)
    caller.seal(b"bye\n")
    with pytest.raises(ssl.SSLWantReadError):
        caller._object.unwrap()
    assert called.feed(caller.outgoing()) == b"bye\n"
    with pytest.raises(ssl.SSLZeroReturnError):
        called.feed(b"")


def test_no_file_of_a_key_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delattr("os.memfd_create", raising=False)
    context_for(CERTIFICATES.authority, CERTIFICATES.clients)
    assert list(tmp_path.iterdir()) == []
