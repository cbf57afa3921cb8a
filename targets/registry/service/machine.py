"""The registry, as a state machine that is replicated: sessions, the entries that live as long as they do, and every change so far.

Deterministic: it knows no time. A session's turn grows with every heartbeat. Commands:

* ``["register", service, session, opens]``: an entry, and a heartbeat; refused if the session has ended, unless it ``opens`` with this;
* ``["deregister", service, session]``: this entry goes; refused if there is none;
* ``["beat", session]``: the session lives; refused if it has ended;
* ``["leave", session]``: the session ends, with all its entries;
* ``["expire", session, turn]``: the same, unless it was heard of since this turn;
* ``["lookup", service]``: whose entries there are;
* ``["end-all"]`` is a seeded bug's;
* those of instances that are probed stand in ``checks``.

Changes are numbered from 1 on: [number, "up" or "down", service, session], or of an instance that is probed also "passing" or "critical".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from targets.node.env import Body
from targets.registry.service.bugs import Bugs
from targets.registry.service.checks import DOWN, UP, Checks

DONE: Body = {"ok": True}
REFUSED: Body = {"ok": False}
KEPT = 5  # changes, with the seeded bug ``watch_cut_short``

Change = list[Any]


class Entries:
    """A ``targets.kv.raft.machine.StateMachine``."""

    def __init__(self, bugs: Bugs) -> None:
        self._bugs = bugs
        self._turns: dict[str, int] = {}  # session → its turn
        self._services: dict[str, list[str]] = {}  # service → sessions that have an entry
        self._changes: list[Change] = []
        self.revision = 0
        self.checks = Checks(bugs, self._changed)

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``."""
        mine = _COMMANDS.get(command[0])
        return mine(self, *command[1:]) if mine else self.checks.apply(command)

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON."""
        return {
            "turns": {} if self._bugs.sessions_lost_in_snapshot else dict(self._turns),
            "services": {name: list(sessions) for name, sessions in self._services.items()},
            "changes": list(self._changes),
            "revision": self.revision,
            "checks": self.checks.dump(),
        }

    def load(self, dump: dict[str, Any]) -> None:
        """Take over what ``dump`` returned, here or on another server."""
        self._turns = dict(dump["turns"])
        self._services = {name: list(sessions) for name, sessions in dump["services"].items()}
        self._changes, self.revision = list(dump["changes"]), dump["revision"]
        self.checks.load(dump["checks"])

    def leases(self) -> Iterator[tuple[str, int]]:
        """The sessions that live: (session, the turn in which it was last heard of)."""
        return iter(self._turns.items())

    def found(self, service: str) -> list[str]:
        """The sessions that have an entry under ``service``, sorted."""
        return sorted(self._services.get(service, ()))

    def since(self, number: int, most: int) -> list[Change]:
        """At most ``most`` changes after that number, in order."""
        first = self.revision - len(self._changes)
        return self._changes[max(0, number - first) :][:most]

    # Commands

    def _register(self, service: str, session: str, opens: bool) -> Body:
        if session not in self._turns:
            if not opens:
                return REFUSED
            self._turns[session] = 0
        self._turns[session] += 1  # it was heard of
        mine = self._services.setdefault(service, [])
        if session not in mine:
            mine.append(session)
            self._changed(UP, service, session)
        return DONE

    def _deregister(self, service: str, session: str) -> Body:
        if session not in self._services.get(service, ()):
            return REFUSED
        self._services[service].remove(session)
        self._changed(DOWN, service, session)
        return DONE

    def _beat(self, session: str) -> Body:
        if session not in self._turns:
            return REFUSED
        if not self._bugs.beat_not_recorded:
            self._turns[session] += 1
        return DONE

    def _leave(self, session: str) -> Body:
        if session not in self._turns:
            return REFUSED
        del self._turns[session]
        if not self._bugs.leave_keeps_entries:
            self._drop(session)
        return DONE

    def _expire(self, session: str, turn: int) -> Body:
        if self._turns.get(session) != turn:
            return REFUSED
        del self._turns[session]
        self._drop(session, entries_max=1 if self._bugs.expiry_forgets_second else None)
        return DONE

    def _lookup(self, service: str) -> Body:
        return {"ok": True, "found": self.found(service)}

    def _end_all(self) -> Body:
        for session in list(self._turns):
            self._leave(session)
        return DONE

    def _drop(self, session: str, entries_max: int | None = None) -> None:
        for service in [name for name, sessions in self._services.items() if session in sessions][:entries_max]:
            self._deregister(service, session)

    def _changed(self, what: str, service: str, session: str) -> None:
        self.revision += 1
        self._changes.append([self.revision, what, service, session])
        if self._bugs.watch_cut_short:
            del self._changes[:-KEPT]


_COMMANDS: dict[str, Callable[..., Body]] = {
    "register": Entries._register,  # noqa: SLF001 - its own table
    "deregister": Entries._deregister,  # noqa: SLF001
    "beat": Entries._beat,  # noqa: SLF001
    "leave": Entries._leave,  # noqa: SLF001
    "expire": Entries._expire,  # noqa: SLF001
    "lookup": Entries._lookup,  # noqa: SLF001
    "end-all": Entries._end_all,  # noqa: SLF001
}
