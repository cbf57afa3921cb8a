"""The file that names the hosts of the ssh cluster: TOML, or a host a line. Validated whole, all errors at once.

    [defaults]                              # optional; any field but host
    user = "root"
    key = "~/.ssh/id_ed25519"               # without it, keys of the SSH agent
    [[hosts]]
    host = "10.0.0.1"                       # a name or an address
    port = 22                               # all that follows may be left out
    data = "/var/lib/splitbrain"            # a directory there, of which we use ours alone
    sudo = false                            # to become root by sudo, for a user who is not
    python = "python3"                      # Python 3.11 or newer there
    address = "192.168.0.1"                 # by which nodes talk to each other; default: the one that we reached it by

The same in a line: ``root@10.0.0.1:22 key=~/.ssh/id_ed25519 data=/var/lib/splitbrain sudo=true``.
"""

from __future__ import annotations

import getpass
import ipaddress
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.errors import PlanError, suggest

DATA = "/var/tmp/splitbrain"  # noqa: S108 - the default place on a host, of which only its own root makes use
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """See the module. ``key`` None: keys of the SSH agent; ``address`` None: the one that it is reached by."""

    host: str
    port: int = 22
    user: str = ""
    key: Path | None = None
    data: str = DATA
    sudo: bool = False
    python: str = "python3"
    address: str | None = None

    @property
    def name(self) -> str:
        """As known_hosts files write it: sshd(8)."""
        return self.host if self.port == 22 else f"[{self.host}]:{self.port}"


FIELDS = tuple(field.name for field in fields(Host))


def read(path: Path) -> list[Host]:
    """The hosts of the file. Raises PlanError with all that is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"--hosts {path}: {getattr(error, 'strerror', None) or error}") from error
    return parse(text, str(path), toml=path.suffix == ".toml")


def pins_of(path: Path) -> Path:
    """The file beside it in which the keys of its hosts are pinned."""
    return path.with_name(path.name + ".pins")


def parse(text: str, where: str, *, toml: bool) -> list[Host]:
    """Pure but for the name of the user. Raises PlanError with all problems."""
    problems: list[str] = []
    rows = _toml(text, where) if toml else _lines(text, problems)
    hosts = [host for place, row in rows if (host := _host(place, row, problems)) is not None]
    if not rows and not problems:
        problems.append("no host is named in it")
    names = [host.name for host in hosts]
    problems += [f"{name}: named twice" for name in sorted({name for name in names if names.count(name) > 1})]
    addresses = [host.address for host in hosts if host.address is not None]
    problems += [
        f"address {one}: of two hosts" for one in sorted({one for one in addresses if addresses.count(one) > 1})
    ]
    if problems:
        raise PlanError(f"--hosts {where}: " + "; ".join(problems))
    return hosts


_Row = tuple[str, Mapping[str, Any]]  # where it stands, its fields


def _toml(text: str, where: str) -> list[_Row]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"--hosts {where}: not TOML: {error}") from error
    unknown = sorted(set(document) - {"defaults", "hosts"})
    hosts, defaults = document.get("hosts", []), document.get("defaults", {})
    if (
        unknown
        or not isinstance(hosts, list)
        or not isinstance(defaults, dict)
        or not all(isinstance(h, dict) for h in hosts)
    ):
        what = f"unknown {unknown[0]!r}" if unknown else "not tables"
        raise PlanError(f"--hosts {where}: {what}: it has [[hosts]] and, at most, [defaults]")
    return [(f"host {number}", {**defaults, **host}) for number, host in enumerate(hosts, 1)]


def _lines(text: str, problems: list[str]) -> list[_Row]:
    rows: list[_Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        place = f"line {number}"
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            problems.append(f"{place}: {error}")
            continue
        if not words:
            continue
        user, _, there = words[0].rpartition("@")
        row: dict[str, Any] = {"user": user} if user else {}
        host, port = _split(there)
        row["host"] = host
        row |= {"port": int(port) if port.isdigit() else port} if port else {}
        for word in words[1:]:
            name, equals, value = word.partition("=")
            if not equals:
                problems.append(f"{place}: {word!r} is not NAME=VALUE")
            row[name] = _TRUTH.get(value.lower(), value) if name == "sudo" else value
        rows.append((place, row))
    return rows


def _split(text: str) -> tuple[str, str]:
    """Host and port of HOST, HOST:PORT, [HOST]:PORT; an address of IPv6 without brackets has no port."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    return (text, "") if text.count(":") != 1 else tuple(text.split(":"))  # type: ignore[return-value]


def _host(place: str, row: Mapping[str, Any], problems: list[str]) -> Host | None:
    found = [f"{place}: unknown field {name!r}: {suggest(name, FIELDS)}" for name in row if name not in FIELDS]
    texts = ("host", "user", "key", "data", "python", "address")
    found += [
        f"{place}: {name} is text, not {row[name]!r}"
        for name in texts
        if name in row and not isinstance(row[name], str)
    ]
    if found:
        problems += found
        return None
    values = {"user": getpass.getuser(), **row}
    checks = {
        "host": (_HOST.fullmatch(values.get("host", "")) is not None, "the name or the address of a host"),
        "port": (type(values.get("port", 22)) is int and 0 < values.get("port", 22) < 65536, "1 to 65535"),
        "user": (_USER.fullmatch(values["user"]) is not None, "the name of a user"),
        "data": (values.get("data", DATA).startswith("/"), "an absolute path"),
        "sudo": (isinstance(values.get("sudo", False), bool), "true or false"),
        "python": (bool(values.get("python", "python3")), "a program"),
        "address": (_is_address(values.get("address")), "an IP address"),
    }
    wrong = [
        f"{place}: {name} is {right}, not {values.get(name)!r}" for name, (holds, right) in checks.items() if not holds
    ]
    key = Path(values["key"]).expanduser() if values.get("key") else None
    if key is not None and not key.is_file():
        wrong.append(f"{place}: there is no key {key}")
    problems += wrong
    return None if wrong else Host(**{**values, "key": key})


def _is_address(text: str | None) -> bool:
    try:
        return text is None or bool(ipaddress.ip_address(text))
    except ValueError:
        return False
