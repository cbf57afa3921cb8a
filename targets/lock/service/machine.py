"""The locks, as a state machine that is replicated: who holds which, by its token.

Deterministic: it knows no time. A lock's token grows with every grant, and names the holder. Commands:

* ``["acquire", lock, stamp]``: refused while somebody holds it; ``stamp`` is a seeded bug's, else null;
* ``["renew", lock, token]`` and ``["release", lock, token]``: refused unless the holder's token is shown;
* ``["expire", lock, turn]``: the lease that began with this turn has ended. Whoever was quicker, by a renewal or a release, wins;
* ``["forget", what]`` is a seeded bug's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from targets.lock.service.bugs import Bugs
from targets.node.env import Body

DONE: Body = {"ok": True}
REFUSED: Body = {"ok": False}


@dataclass(slots=True)
class _Lock:
    """``token``: the latest that was given out; ``turn`` counts grants and renewals; ``expired``: the latest hold ended with its lease."""

    token: int = 0
    turn: int = 0
    held: bool = False
    expired: bool = False


class Locks:
    """A ``targets.kv.raft.machine.StateMachine``."""

    def __init__(self, bugs: Bugs) -> None:
        self._bugs = bugs
        self._locks: dict[str, _Lock] = {}

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``."""
        return _COMMANDS[command[0]](self, *command[1:])

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON."""
        found = {name: asdict(lock) for name, lock in self._locks.items()}
        for saved in found.values():
            if self._bugs.holder_lost_in_snapshot:
                saved["held"] = False
            if self._bugs.token_lost_in_snapshot:
                saved["token"] = 0
        return found

    def load(self, dump: dict[str, Any]) -> None:
        """Take over what ``dump`` returned, here or on another server."""
        self._locks = {name: _Lock(**saved) for name, saved in dump.items()}

    def leases(self) -> Iterator[tuple[str, int]]:
        """The leases that run: (lock, the turn with which it began)."""
        return ((name, lock.turn) for name, lock in self._locks.items() if lock.held)

    def tokens(self) -> dict[str, int | None]:
        """Lock → its holder's token, null if it is free."""
        return {name: lock.token if lock.held else None for name, lock in self._locks.items()}

    # Commands

    def _acquire(self, name: str, stamp: int | None) -> Body:
        lock = self._locks.setdefault(name, _Lock())
        if lock.held:
            return REFUSED
        if not (lock.expired and self._bugs.expiry_keeps_token):
            lock.token = lock.token + 1 if stamp is None else stamp
        lock.held, lock.expired, lock.turn = True, False, lock.turn + 1
        return {"ok": True, "token": lock.token}

    def _renew(self, name: str, token: int) -> Body:
        lock = self._locks.get(name)
        if lock is None or not lock.held or lock.token != token:
            return REFUSED
        if not self._bugs.renewal_not_recorded:
            lock.turn += 1
        return DONE

    def _release(self, name: str, token: int) -> Body:
        lock = self._locks.get(name)
        if lock is None or not lock.held or (lock.token != token and not self._bugs.release_by_anybody):
            return REFUSED
        lock.held = False
        return DONE

    def _expire(self, name: str, turn: int) -> Body:
        lock = self._locks.get(name)
        if lock is None or not lock.held or lock.turn != turn:
            return REFUSED
        lock.held, lock.expired = False, True
        return DONE

    def _forget(self, what: str) -> Body:
        for lock in self._locks.values():
            if what == "tokens":
                lock.token = 0
            else:
                lock.held = False
        return DONE


_COMMANDS: dict[str, Callable[..., Body]] = {
    "acquire": Locks._acquire,  # noqa: SLF001 - its own table
    "renew": Locks._renew,  # noqa: SLF001
    "release": Locks._release,  # noqa: SLF001
    "expire": Locks._expire,  # noqa: SLF001
    "forget": Locks._forget,  # noqa: SLF001
}
