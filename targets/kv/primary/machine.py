"""What is replicated: keys that hold a register or a set, and the sessions that make a repeated request take effect once.

Deterministic: every node applies the same commands in the same order and must come to the same state, so no clock, no dice, and no
iteration over a set. A command is ``["write", key, value, client, seq]``, ``["cas", key, from, to, client, seq]`` or ``["add", key,
element, client, seq]``; client and seq are null if the client sent no request id. What a key holds is decided by its first mutation;
operations of the other kind are refused.

Sessions (Ongaro's thesis, 6.3, and older: the duplicate request cache of NFS servers): a client numbers its requests. The latest number
and its result are remembered, so a request that comes again gets the result that it had, and changes nothing.
"""

from __future__ import annotations

import json
from typing import Any

from targets.kv.primary.bugs import Bugs
from targets.node import codes
from targets.node.env import Body

WRITE_OK: Body = {"type": "write_ok"}
CAS_OK: Body = {"type": "cas_ok"}
ADD_OK: Body = {"type": "add_ok"}
MISSING: Body = {"type": "error", "code": codes.KEY_MISSING, "text": "this key has never been written"}
DIFFERS: Body = {"type": "error", "code": codes.PRECONDITION, "text": "the value is not the expected one"}
IS_SET: Body = {"type": "error", "code": codes.PRECONDITION, "text": "this key holds a set"}
IS_REGISTER: Body = {"type": "error", "code": codes.PRECONDITION, "text": "this key holds a register"}
# The client has already sent a later command, so it cannot be waiting for this answer: how the command went is not known any more.
OVERTAKEN: Body = {"type": "error", "code": codes.TIMEOUT, "text": "a later request of this client has been applied"}


class Machine:
    """Registers, sets and sessions. Results are bodies of replies, and never changed."""

    def __init__(self, sessions_max: int, bugs: Bugs) -> None:
        self._sessions_max, self._bugs = sessions_max, bugs
        self._registers: dict[str, tuple[Any, Any]] = {}  # slot of the key → (key, value)
        self._sets: dict[str, tuple[Any, dict[str, Any]]] = {}  # slot of the key → (key, slot → element), oldest first
        self._sessions: dict[str, tuple[int, Body]] = {}  # client → (latest seq, result), least recently served first

    def read(self, key: Any) -> Body:
        slot = slot_of(key)
        held = self._sets.get(slot)
        if held is not None:
            return {"type": "read_ok", "value": list(held[1].values())}
        found = self._registers.get(slot)
        return MISSING if found is None else {"type": "read_ok", "value": found[1]}

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``, unless its session says that this has been done before."""
        client, seq = command[-2], command[-1]
        if client is None or seq is None:
            return _OPERATIONS[command[0]](self, command)
        session = self._sessions.pop(client, None)
        if session is not None and not self._bugs.retry_applied_twice:
            if seq == session[0]:
                self._sessions[client] = session
                return session[1]
            if seq < session[0] and not self._bugs.late_copy_applied:
                self._sessions[client] = session
                return OVERTAKEN
        result = _OPERATIONS[command[0]](self, command)
        self._sessions[client] = (seq, result)
        if len(self._sessions) > self._sessions_max:
            del self._sessions[next(iter(self._sessions))]
        return result

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON."""
        if self._bugs.checkpoint_drops_sessions:
            self._sessions.clear()  # as if the table belonged to the entries that the checkpoint replaces
        return {
            "registers": [[key, value] for key, value in self._registers.values()],
            "sets": [[key, list(elements.values())] for key, elements in self._sets.values()],
            "sessions": [[client, seq, result] for client, (seq, result) in self._sessions.items()],
        }

    def load(self, dump: dict[str, Any]) -> None:
        """Take over what ``dump`` returned, here or on another node."""
        self._registers = {slot_of(key): (key, value) for key, value in dump["registers"]}
        self._sets = {slot_of(key): (key, {slot_of(e): e for e in elements}) for key, elements in dump["sets"]}
        self._sessions = {client: (seq, result) for client, seq, result in dump["sessions"]}

    def _write(self, command: list[Any]) -> Body:
        _, key, value, *_ = command
        slot = slot_of(key)
        if slot in self._sets:
            return IS_SET
        self._registers[slot] = (key, value)
        return WRITE_OK

    def _cas(self, command: list[Any]) -> Body:
        _, key, old, new, *_ = command
        slot = slot_of(key)
        if slot in self._sets:
            return IS_SET
        found = self._registers.get(slot)
        if found is None:
            return MISSING
        if slot_of(found[1]) != slot_of(old):
            return DIFFERS
        self._registers[slot] = (key, new)
        return CAS_OK

    def _add(self, command: list[Any]) -> Body:
        _, key, element, *_ = command
        slot = slot_of(key)
        if slot in self._registers:
            return IS_REGISTER
        _, elements = self._sets.setdefault(slot, (key, {}))
        elements.setdefault(slot_of(element), element)
        return ADD_OK


# The class's own table, which needs the class to exist.
_OPERATIONS = {"write": Machine._write, "cas": Machine._cas, "add": Machine._add}  # noqa: SLF001


def slot_of(value: Any) -> str:
    """A text that two JSON values share iff they are equal: 1, 1.0 and true are three, although Python calls them equal."""
    if type(value) is str:
        return "s" + value  # which is no JSON text
    return str(value) if type(value) is int else json.dumps(value, sort_keys=True)
