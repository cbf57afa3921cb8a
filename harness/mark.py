"""Whose is it? The mark on everything that a run makes outside its own process, and whether that process still lives.

A run marks containers by a label, processes by a variable of their environment, and what only has a name (a table of the packet
filter, a named namespace, a mount) by that name. The mark names the controller so exactly that no later process is taken for it: its
number, when it started, in which boot of which machine, and in which pid namespace. Linux has all four; elsewhere the number stands
alone. Standard library only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

VARIABLE = "SPLITBRAIN_CONTROLLER"  # of the environment of all processes of a run
PREFIX = "splitbrain-"  # of the names of things that have nothing but a name
_TEXT = re.compile(r"(\d+)-(\d+)-([0-9a-z]+)-(\d+)")
_NAMED = re.compile(re.escape(PREFIX) + _TEXT.pattern)
_DEAD = ("Z", "X")
_BOOT_SHOWN = 12  # hex digits of the boot's number: enough to tell machines and boots apart


class Life(StrEnum):
    """What can be said of a controller from here."""

    LIVES = "lives"
    DEAD = "dead"
    UNSEEN = "unseen"  # another machine, another boot, another pid namespace: nobody here can tell


@dataclass(frozen=True, slots=True)
class Mark:
    """The controller of a run. ``started`` is in clock ticks after the boot, ``space`` the number of its pid namespace."""

    pid: int
    started: int
    boot: str
    space: int

    def __str__(self) -> str:
        return f"{self.pid}-{self.started}-{self.boot}-{self.space}"

    @property
    def name(self) -> str:
        """For things that have nothing but a name; more may follow it after a dash."""
        return f"{PREFIX}{self}"

    def life(self) -> Life:
        """Whether it still runs."""
        if (self.boot, self.space) != (_boot(), _space()):
            return Life.UNSEEN
        return Life.LIVES if _started(self.pid) == self.started else Life.DEAD


def mine() -> Mark:
    """This process's mark."""
    return Mark(os.getpid(), _started(os.getpid()) or 0, _boot(), _space())


def parse(text: str) -> Mark | None:
    """The mark that stands in ``text``; None if it is none."""
    found = _TEXT.fullmatch(text)
    return _mark(found) if found else None


def in_name(text: str) -> Mark | None:
    """The mark in a name that ``Mark.name`` has begun; None if it is nobody's."""
    found = _NAMED.search(text)
    return _mark(found) if found else None


def marked(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for processes of this controller's run."""
    return {**environment, VARIABLE: str(mine())}


def _mark(found: re.Match[str]) -> Mark:
    pid, started, boot, space = found.groups()
    return Mark(int(pid), int(started), boot, int(space))


def _boot() -> str:
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        return "none"
    return text.replace("-", "")[:_BOOT_SHOWN]


def _space() -> int:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def _started(pid: int) -> int | None:
    """When a living process started, in clock ticks after the boot (0 where the system does not tell); None if none lives."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
        with suppress(PermissionError):  # somebody else's, but it lives
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return None
        return 0
    return None if fields[0] in _DEAD else int(fields[19])
