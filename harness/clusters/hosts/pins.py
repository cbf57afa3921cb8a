"""The keys by which hosts are known: pinned in a file of the form of known_hosts (sshd(8)), never learnt on the way.

Whoever wants to work with new hosts pins their keys first, having compared the fingerprints with what the hosts themselves say
(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).
"""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import paramiko

from harness.clusters.hosts.inventory import Host
from harness.errors import ClusterError

PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The key that a host shows. ``known`` is the fingerprint that is pinned for it; None if none is."""

    host: Host
    key: paramiko.PKey
    known: str | None

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key)


def fingerprint(key: paramiko.PKey) -> str:
    """As ssh-keygen -l shows it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"SHA256:{digest} ({key.get_name()})"


def load(path: Path) -> paramiko.HostKeys:
    """The pinned keys; none if there is no such file. Raises ClusterError."""
    keys = paramiko.HostKeys()
    try:
        if path.exists():
            keys.load(str(path))
    except (OSError, paramiko.SSHException) as error:
        raise ClusterError(f"the pinned keys in {path} cannot be read: {error}") from error
    return keys


def pinned(keys: paramiko.HostKeys, host: Host) -> paramiko.PKey | None:
    """The key that this host must have."""
    found = keys.lookup(host.name)
    return next(iter(found.values())) if found else None


def offers(hosts: Iterable[Host], keys: paramiko.HostKeys) -> list[Offer]:
    """Ask all hosts for their keys, side by side. Nobody logs in. Raises ClusterError, with all that could not be asked."""

    def one(host: Host) -> Offer | str:
        known = pinned(keys, host)
        try:
            with socket.create_connection((host.host, host.port), PATIENCE_S) as sock:
                transport = paramiko.Transport(sock)
                try:
                    transport.start_client(timeout=PATIENCE_S)
                    key = transport.get_remote_server_key()
                finally:
                    transport.close()
        except (OSError, EOFError, paramiko.SSHException) as error:
            return f"{host.name}: {getattr(error, 'strerror', None) or error}"
        return Offer(host=host, key=key, known=fingerprint(known) if known is not None else None)

    with ThreadPoolExecutor(32) as threads:
        asked = list(threads.map(one, hosts))
    failed = [answer for answer in asked if isinstance(answer, str)]
    if failed:
        raise ClusterError("cannot ask for their keys: " + "; ".join(failed))
    return [answer for answer in asked if not isinstance(answer, str)]


def pin(path: Path, keys: paramiko.HostKeys, chosen: Iterable[Offer]) -> None:
    """Write the file anew, with these keys in the place of whatever was known of their hosts. Raises ClusterError."""
    for offer in chosen:
        if keys.lookup(offer.host.name):
            del keys[offer.host.name]
        keys.add(offer.host.name, offer.key.get_name(), offer.key)
    fresh = path.with_name(path.name + ".new")
    try:
        keys.save(str(fresh))
        fresh.replace(path)
    except OSError as error:
        raise ClusterError(f"the keys cannot be written to {path}: {error.strerror}") from error
