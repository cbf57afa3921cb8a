"""A connection to one host, by paramiko: to a key that is pinned, or not at all. Blocks; whoever has an event loop calls it in a thread."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import paramiko

from harness.clusters.hosts.inventory import Host
from harness.clusters.hosts.pins import fingerprint, pinned
from harness.clusters.hosts.quoting import command
from harness.errors import ClusterError

CONNECT_S = 10.0
# A host that has answered may be busy: keys are agreed upon, and a user is let in, by a process of its own.
LOG_IN_S = 30.0
KEEPALIVE_S = 5
PIECE = 1 << 15


@dataclass(frozen=True, slots=True)
class Done:
    """What a command has answered."""

    status: int
    output: bytes
    errors: bytes


class Connection:
    """See the module. ``address`` is the one by which the host was reached, ``ours`` that by which it sees us."""

    def __init__(self, host: Host, keys: paramiko.HostKeys) -> None:
        """Raises ClusterError: one sentence that names the host."""
        self.host = host
        expected = pinned(keys, host)
        if expected is None:
            raise ClusterError(f"{host.name}: its key is not pinned: splitbrain hosts pin FILE shows it and pins it")
        self._client = paramiko.SSHClient()
        self._client.get_host_keys().add(host.name, expected.get_name(), expected)
        self._client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            sock = socket.create_connection((host.host, host.port), CONNECT_S)
            # Without this a small request waits for the acknowledgement of the one before: 40 ms.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.address, self.ours = sock.getpeername()[0], sock.getsockname()[0]
            self._log_in(sock)
        except paramiko.BadHostKeyException as error:
            raise ClusterError(
                f"{host.name}: its key has changed: it shows {fingerprint(error.key)}, pinned is {fingerprint(expected)}; somebody may "
                "stand between, or the host is new: splitbrain hosts pin FILE pins what it shows"
            ) from error
        except paramiko.AuthenticationException as error:
            by = f"the key {host.key}" if host.key else "the keys of the SSH agent"
            raise ClusterError(f"{host.name}: it does not let {host.user} in with {by}") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise ClusterError(f"{host.name}: no connection: {getattr(error, 'strerror', None) or error}") from error
        self.transport.set_keepalive(KEEPALIVE_S)

    def _log_in(self, sock: socket.socket) -> None:
        host = self.host
        try:
            self._client.connect(
                host.host,
                host.port,
                host.user,
                pkey=_key(host),
                allow_agent=host.key is None,
                look_for_keys=False,
                sock=sock,
                timeout=CONNECT_S,
                banner_timeout=LOG_IN_S,
                auth_timeout=LOG_IN_S,
            )
        except BaseException:
            self._client.close()
            sock.close()
            raise

    @property
    def transport(self) -> paramiko.Transport:
        transport = self._client.get_transport()
        assert transport is not None
        return transport

    def open(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> paramiko.Channel:
        """A channel whose other end is this program's standard input and output. Raises ClusterError."""
        try:
            channel = self.transport.open_session(timeout=LOG_IN_S)
            channel.exec_command(command(argv, environment=environment, sudo=self.host.sudo))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise ClusterError(f"{self.host.name}: cannot run {argv[0]!r}: {error}") from error
        return channel

    def run(self, argv: Sequence[str], data: bytes = b"", patience_s: float = 60.0) -> Done:
        """Run a program to its end, with ``data`` as its input. Raises ClusterError."""
        channel = self.open(argv)
        until_s = time.monotonic() + patience_s
        output, errors = bytearray(), bytearray()
        try:
            channel.settimeout(patience_s)
            channel.sendall(data)
            channel.shutdown_write()
            while piece := channel.recv(PIECE):
                output += piece
                while channel.recv_stderr_ready():
                    errors += channel.recv_stderr(PIECE)
            while piece := channel.recv_stderr(PIECE):
                errors += piece
            channel.status_event.wait(max(0.0, until_s - time.monotonic()))
            return Done(channel.recv_exit_status() if channel.exit_status_ready() else -1, bytes(output), bytes(errors))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise ClusterError(f"{self.host.name}: {argv[0]!r} did not end within {patience_s:g} s: {error}") from error
        finally:
            channel.close()

    def close(self) -> None:
        """Idempotent."""
        self._client.close()


def _key(host: Host) -> paramiko.PKey | None:
    """The key that the file of the hosts names; None: those of the SSH agent are tried. Raises ClusterError."""
    if host.key is None:
        return None
    try:
        return paramiko.PKey.from_path(host.key)
    except paramiko.PasswordRequiredException as error:
        raise ClusterError(f"{host.name}: the key {host.key} wants a passphrase: give it to the SSH agent") from error
    except (OSError, ValueError, TypeError, paramiko.SSHException, paramiko.UnknownKeyType) as error:
        raise ClusterError(f"{host.name}: the key {host.key} cannot be read: {error}") from error
