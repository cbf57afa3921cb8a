"""Mutual TLS between nodes, and between clients and nodes: both ends show a certificate of the run's own authority, or do not speak.

Standard library only. Keys come with ``init`` and stay in memory: ``ssl`` reads keys from files alone, so that a file is made that has no
name (memfd_create(2)) or, on systems without such, one that only its owner may read, and that is gone when it has been read.

``Session`` is TLS without sockets: bytes of the wire in, bytes of the other end out, and the reverse. Whoever owns the connection sees each
failure, and can log it, before anything of it reaches the program.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

READ_BYTES = 1 << 16


def load_chain(context: ssl.SSLContext, pem: str) -> None:
    """Show this certificate, whose private key stands in ``pem``, too. Raises ssl.SSLError."""
    with _file_of(pem.encode()) as path:
        context.load_cert_chain(path)


@contextmanager
def _file_of(data: bytes) -> Iterator[str]:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("key")
        try:
            os.write(descriptor, data)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.NamedTemporaryFile() as file:  # its mode is 600
            file.write(data)
            file.flush()
            yield file.name


def context_for(authority: str, own: str | None, *, server: bool = False) -> ssl.SSLContext:
    """What one end believes (``authority``, PEM) and shows (``own``, PEM with the key; None: nothing). Nothing older than TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=authority)
    context.verify_mode = ssl.CERT_REQUIRED
    if own is not None:
        load_chain(context, own)
    if server:
        context.num_tickets = 0  # nobody resumes: each connection shows its certificate
    return context


class Credentials:
    """Of one node: sessions with whoever calls, and with the nodes that it calls."""

    def __init__(self, secrets: Mapping[str, Any], *, asks: bool = True) -> None:
        """``asks``: whether callers must show a certificate."""
        self._server = context_for(secrets["authority"], secrets["certificate"], server=True)
        self._client = context_for(secrets["authority"], secrets["certificate"])
        if not asks:
            self._server.verify_mode = ssl.CERT_NONE

    def called(self) -> Session:
        return Session(self._server, None)

    def calling(self, node: str) -> Session:
        """Whoever answers must prove to be ``node``."""
        return Session(self._client, node)


class Session:
    """One connection's TLS. ``peer`` is the name in the other end's certificate, once the session is ``ready``."""

    def __init__(self, context: ssl.SSLContext, node: str | None) -> None:
        self.ready, self.peer = False, ""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=node is None, server_hostname=node)

    def feed(self, data: bytes) -> bytes:
        """What the other end says, of what has come in so far. Raises ssl.SSLError: it is none that may speak, or is gone."""
        self._incoming.write(data)
        plain = bytearray()
        try:
            if not self.ready:
                self._object.do_handshake()
                self.ready, self.peer = True, _name_in(self._object.getpeercert())
            while part := self._object.read(READ_BYTES):
                plain += part
        except ssl.SSLWantReadError:
            return bytes(plain)
        except ssl.SSLZeroReturnError:
            if not plain:
                raise
        if not plain:
            raise ssl.SSLZeroReturnError("the other end has closed the session")
        return bytes(plain)  # its last words

    def seal(self, data: bytes) -> None:
        """Say this to the other end of a session that is ready."""
        self._object.write(data)

    def outgoing(self) -> bytes:
        """What must be sent now."""
        return self._outgoing.read()


def _name_in(certificate: Any) -> str:
    names = [value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind == "DNS"]
    return names[0] if names else ""
