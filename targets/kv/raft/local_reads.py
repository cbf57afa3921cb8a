"""Reads that any server answers from its own state: fast, also on the minority's side of a partition, and perhaps stale.

What is promised is a session (ZooKeeper's, by its zxid; Terry et al. 1994): every result says up to which entry of the log it comes from
("index"), a client's next read says up to where it has seen its past ("after"), and a server that has not applied as much refuses. So a
client never goes back, whichever servers it asks and whoever crashes meanwhile, and sees its own writes. Writes go through the log as ever.
Nothing is promised across clients: one may read what another one has long replaced.
"""

from __future__ import annotations

from typing import Any

from targets.kv.raft.machine import Machine, same
from targets.kv.raft.state import State
from targets.node import codes
from targets.node.env import Body, Refusal


def read_here(state: State, machine: Machine, body: Body) -> Body:
    """The answer to the read ``body`` out of this server's own state. Raises Refusal if the client has seen more than that."""
    after, bugs = body.get("after", 0), state.bugs
    if type(after) is not int:
        raise Refusal(codes.MALFORMED, f'"after" is the index of an entry, not {after!r}')
    if after > state.applied and not bugs.session_not_awaited:
        raise Refusal(codes.UNAVAILABLE, f"this node has applied entries up to {state.applied}, not yet up to {after}")
    # A key that was never written reads as null: unlike an error, that answer has an index, too.
    answer: Body = {"type": "read_ok", "value": machine.read(body["key"]).get("value")}
    if not bugs.read_without_index:
        answer["index"] = state.applied
    return _uncommitted(state, body["key"], answer) if bugs.read_uncommitted else answer


def _uncommitted(state: State, key: Any, answer: Body) -> Body:
    """The value that the last write of ``key`` in the log gives it, committed or not."""
    for index in range(state.log.last_index, state.applied, -1):
        command = state.log.command_at(index)
        if command is not None and command[0] == "write" and same(command[1], key):
            return {**answer, "value": command[2], "index": index}
    return answer
