"""Clients: Maelstrom's lin-kv requests and changes of members, answered by the leader, forwarded to it by everybody else.

Which error is given is a matter of truth. 11 (definite) says that the request certainly did not and never will take effect. 0 (indefinite)
says that nobody knows. A forwarded request is bound to the term in which its leader led: a copy of it that comes late, or a leader
that has been deposed, refuses it for ever after, so the refusal is definite.
"""

from __future__ import annotations

from typing import Any

from targets.kv.raft.config import LOCAL
from targets.kv.raft.local_reads import read_here
from targets.kv.raft.machine import Machine
from targets.kv.raft.reads import Reads
from targets.kv.raft.reconfig import Reconfig
from targets.kv.raft.replication import Replication
from targets.kv.raft.state import State
from targets.node import codes
from targets.node.env import Body, Message, Refusal

FIELDS = {
    "read": ("key",),
    "write": ("key", "value"),
    "cas": ("key", "from", "to"),
    "add": ("key", "delta"),
    "add_member": ("node",),
    "remove_member": ("node",),
}
# Requests without a request id are remembered by the leader for its term, so that a copy that the network makes is not applied: so many.
SEEN_MAX = 10_000


class Requests:
    """The requests that this node has not answered yet."""

    def __init__(self, state: State, machine: Machine, replication: Replication, reconfig: Reconfig) -> None:
        self._state, self._machine, self._replication, self._reconfig = state, machine, replication, reconfig
        self.reads = Reads(state, machine, replication, self._answer)
        self._proposed: dict[int, Message] = {}  # index of the entry → request
        self._forwarded: dict[str, tuple[float, Message]] = {}  # id → (when, request), oldest first
        self._seen: dict[str, None] = {}

    # From clients

    def on_request(self, message: Message) -> Body | None:
        """A client's request. Raises Refusal."""
        state, body = self._state, message["body"]
        for field in FIELDS[body["type"]]:
            if field not in body:
                raise Refusal(codes.MALFORMED, f"a {body['type']} needs {field!r}")
        if isinstance(body.get("key"), dict | list):
            raise Refusal(codes.MALFORMED, "a key is a string, a number, true, false or null")
        if state.config.reads == LOCAL and body["type"] == "read":
            return read_here(state, self._machine, body)
        if state.leads:
            self._serve(message, body, _id(message))
        elif state.bugs.stale_local_read and body["type"] == "read":
            return self._machine.read(body["key"])
        elif state.leader is None:
            raise Refusal(codes.UNAVAILABLE, "this node knows no leader")
        else:
            self._forward(message)
        return None

    def _serve(self, message: Message, body: Body, request_id: str) -> None:
        """Deal with ``body`` as the leader; ``message`` is what will be answered: the request itself, or its forwarding."""
        kind = body["type"]
        if kind == "read":
            if self._state.bugs.stale_local_read:
                self._answer(message, self._machine.read(body["key"]))
            else:
                self.reads.ask(message, body["key"])
            return
        if kind in {"add_member", "remove_member"}:
            command = self._reconfig.command(kind, body["node"])
            if isinstance(command, Refusal):
                self._answer(message, _error(command.code, command.text))
                return
        else:
            client, seq = body.get("client"), body.get("seq")
            if (client is None or seq is None) and self._is_copy(request_id):
                return
            command = [kind, *(body[field] for field in FIELDS[kind]), client, seq]
        self._proposed[self._replication.propose(command)] = message

    def _is_copy(self, request_id: str) -> bool:
        if request_id in self._seen:
            return True
        self._seen[request_id] = None
        if len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        return False

    # Between nodes

    def _forward(self, message: Message) -> None:
        state = self._state
        assert state.leader is not None
        now_s, request_id = state.env.monotonic(), _id(message)
        while self._forwarded:
            oldest = next(iter(self._forwarded))
            if self._forwarded[oldest][0] >= now_s - state.config.forward_max_s:
                break
            del self._forwarded[oldest]  # its client has long ceased to wait
        self._forwarded[request_id] = (now_s, message)
        body = {"type": "forward", "term": state.term, "id": request_id, "request": message["body"]}
        state.env.send(state.leader, body)

    def on_forward(self, message: Message) -> None:
        """A request that another node takes this one to be the leader for, in that node's term."""
        body = message["body"]
        if self._state.leads and body["term"] == self._state.term:
            self._serve(message, body["request"], body["id"])
        else:
            self._answer(message, _error(codes.UNAVAILABLE, "this node no longer leads that term"))

    def on_forwarded(self, message: Message) -> None:
        """The leader's answer to a forwarded request."""
        body = message["body"]
        _, request = self._forwarded.pop(body["id"], (0.0, None))
        if request is not None:
            self._state.env.reply(request, body["reply"])

    # What becomes of them

    def applied(self, index: int, result: Body) -> None:
        """The entry at ``index`` was applied with that result."""
        request = self._proposed.pop(index, None)
        if request is not None:
            if self._state.config.reads == LOCAL and not self._state.bugs.write_without_index:
                result = {**result, "index": index}  # the client's next read must come after it
            self._answer(request, result)

    def deposed(self) -> None:
        """This server leads no more. What it proposed may yet be committed by another leader, or never."""
        proposed, self._proposed, self._seen = self._proposed, {}, {}
        for request in proposed.values():
            self._answer(request, _error(codes.TIMEOUT, "the leadership ended before the request was committed"))
        for request in self.reads.abandon():
            self._answer(request, _error(codes.UNAVAILABLE, "the leadership ended before the read was confirmed"))

    def leader_gone(self) -> None:
        """The leader that this node knew is none any more: what it was sent may have taken effect or not."""
        forwarded, self._forwarded = self._forwarded, {}
        for _, request in forwarded.values():
            self._state.env.reply(request, _error(codes.TIMEOUT, "the leader was lost before it answered"))

    def _answer(self, message: Message, result: Body) -> None:
        body = message["body"]
        if body["type"] == "forward":
            self._state.env.send(message["src"], {"type": "forwarded", "id": body["id"], "reply": result})
        else:
            self._state.env.reply(message, result)


def _id(message: Message) -> str:
    """A request's name among all nodes: its client and that client's message id."""
    return f"{message['src']}/{message['body'].get('msg_id')}"


def _error(code: int, text: str) -> dict[str, Any]:
    return {"type": "error", "code": code, "text": text}
