"""The replicated state machine: keys with values, and the sessions that make a retried command take effect once.

Deterministic: every server applies the same commands in the same order and must come to the same state, so no clock, no dice, and no
iteration over a set. A command is ``["write", key, value, client, seq]``, ``["cas", key, from, to, client, seq]`` or ``["add", key, delta,
client, seq]`` (a key that was never written counts as 0); client and seq are null if the client sent no request id.

Sessions (thesis 6.3): "each client assigns a unique serial number to each command; ... the state machine tracks the latest serial number
processed for the client along with the associated response. If it receives a command whose serial number has already been executed, it
responds immediately without re-executing the request." The table is part of the state, hence of snapshots.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from targets.kv.raft.bugs import Bugs
from targets.node import codes
from targets.node.env import Body

WRITE_OK: Body = {"type": "write_ok"}
CAS_OK: Body = {"type": "cas_ok"}
ADD_OK: Body = {"type": "add_ok"}
MISSING: Body = {"type": "error", "code": codes.KEY_MISSING, "text": "this key has never been written"}
DIFFERS: Body = {"type": "error", "code": codes.PRECONDITION, "text": "the value is not the expected one"}
NO_NUMBER: Body = {"type": "error", "code": codes.PRECONDITION, "text": "only whole numbers can be added"}
# The client has already sent a later command, so it cannot be waiting for this answer: how the command went is not known any more.
STALE: Body = {"type": "error", "code": codes.TIMEOUT, "text": "a later request of this client has been applied"}


class StateMachine(Protocol):
    """What consensus needs of the state that it replicates: the same commands in the same order lead to the same state everywhere."""

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``, and return what came of it."""
        ...

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON, which nobody changes afterwards."""
        ...

    def load(self, dump: dict[str, Any]) -> None:
        """Take over what ``dump`` returned, here or on another server."""
        ...


class Machine:
    """Keys, values and sessions. Results are bodies of replies, and never changed."""

    def __init__(self, sessions_max: int, bugs: Bugs) -> None:
        self._sessions_max, self._bugs = sessions_max, bugs
        self._values: dict[str, tuple[Any, Any]] = {}  # slot of the key → (key, value)
        self._sessions: dict[
            str, tuple[int, Body]
        ] = {}  # client → (its latest seq, the result); least recently served first

    def read(self, key: Any) -> Body:
        found = self._values.get(_slot(key))
        return MISSING if found is None else {"type": "read_ok", "value": found[1]}

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``, unless its session says that this has been done before."""
        client, seq = command[-2], command[-1]
        if client is None or seq is None:
            return self._carry_out(command)
        session = self._sessions.pop(client, None)
        if session is not None and not self._bugs.apply_twice_on_retry:
            if seq == session[0]:
                self._sessions[client] = session
                return session[1]
            if seq < session[0]:
                self._sessions[client] = session
                return STALE
        result = self._carry_out(command)
        self._sessions[client] = (seq, result)
        if len(self._sessions) > self._sessions_max:
            del self._sessions[next(iter(self._sessions))]
        return result

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON, for a snapshot."""
        keys = [[key, value] for key, value in self._values.values()]
        if self._bugs.snapshot_drops_sessions:
            return {"keys": keys, "sessions": []}
        return {"keys": keys, "sessions": [[client, seq, result] for client, (seq, result) in self._sessions.items()]}

    def load(self, dump: dict[str, Any]) -> None:
        """Take over what ``dump`` returned, here or on another server."""
        self._values = {_slot(key): (key, value) for key, value in dump["keys"]}
        self._sessions = {client: (seq, result) for client, seq, result in dump["sessions"]}

    def _carry_out(self, command: list[Any]) -> Body:
        operation = _OPERATIONS.get(command[0])
        if operation is None and self._bugs.no_checksum:
            return MISSING  # what cannot be read is skipped
        assert operation is not None, command
        return operation(self, command)

    def _write(self, command: list[Any]) -> Body:
        _, key, value, *_ = command
        self._values[_slot(key)] = (key, value)
        return WRITE_OK

    def _cas(self, command: list[Any]) -> Body:
        _, key, old, new, *_ = command
        slot = _slot(key)
        found = self._values.get(slot)
        if found is None:
            return MISSING
        if not same(found[1], old):
            return DIFFERS
        self._values[slot] = (key, new)
        return CAS_OK

    def _add(self, command: list[Any]) -> Body:
        _, key, delta, *_ = command
        slot = _slot(key)
        _, number = self._values.get(slot, (key, 0))
        if type(number) is not int or type(delta) is not int:
            return NO_NUMBER
        self._values[slot] = (key, number + delta)
        return ADD_OK


_OPERATIONS = {"write": Machine._write, "cas": Machine._cas, "add": Machine._add}  # noqa: SLF001 - its own table


def same(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1, 1.0 and true are three values, although Python calls them equal."""
    if type(one) is type(other) and (one is None or type(one) in {str, int, bool, float}):
        return bool(one == other)
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _slot(key: Any) -> str:
    """A key as a dictionary's key: distinct for distinct JSON values."""
    if type(key) is str:
        return "s" + key  # which is no JSON text
    return str(key) if type(key) is int else json.dumps(key)
