"""The receiver's side of AppendEntries and InstallSnapshot (Figure 2, Figure 13, paper 5.3 and 7)."""

from __future__ import annotations

from typing import Any

from targets.kv.raft.applier import Applier
from targets.kv.raft.roles import Roles
from targets.kv.raft.snapshot import Snapshots
from targets.kv.raft.state import Role, State
from targets.node.env import Body, Message

# By these the leader knows which of its messages is answered (``replication``).
ECHOED = ("number", "round", "sent")


class Followers:
    """How this server follows a leader."""

    def __init__(self, state: State, roles: Roles, applier: Applier, snapshots: Snapshots) -> None:
        self._state, self._roles, self._applier, self._snapshots = state, roles, applier, snapshots

    def on_append_entries(self, message: Message) -> None:
        """AppendEntries RPC, receiver implementation."""
        body = message["body"]
        if not self._accepts(message):
            return
        log, bugs = self._state.log, self._state.bugs
        prev, entries = body["prev"], body["entries"]
        match = max(prev + len(entries), log.base_index)
        if prev < log.base_index:
            # What a snapshot replaced was committed, so it is the same in the leader's log: only what is behind it can be new.
            entries, prev = entries[log.base_index - prev :], log.base_index
        elif bugs.append_without_log_matching:
            prev = min(prev, log.last_index)
        elif log.term_at(prev) != body["prev_term"]:
            # 2. "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm"
            self._reply(message, self._refusal(prev))
            return
        self._state.store(prev, entries)
        log.sync()  # on the disk before the answer leaves
        # 5. "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)"
        self._applier.commit_to(min(body["commit"], match))
        self._reply(message, {"ok": True, "match": match})

    def on_install_snapshot(self, message: Message) -> None:
        """InstallSnapshot RPC, receiver implementation."""
        if not self._accepts(message):
            return
        snapshot = message["body"]["snapshot"]
        self._snapshots.install(snapshot)
        self._reply(message, {"ok": True, "match": snapshot["index"]})

    def _accepts(self, message: Message) -> bool:
        """Whether the sender leads the current term; if so, this server follows it."""
        state, term, leader = self._state, message["body"]["term"], message["src"]
        if term < state.term and not state.bugs.append_from_stale_term:
            # 1. "Reply false if term < currentTerm": the answer tells the sender that it is deposed
            self._reply(message, {"ok": False, "prev": -1})
            return False
        if term > state.term or state.role is not Role.FOLLOWER or state.leader != leader:
            self._roles.follow(term, leader)
        state.heard_s = state.now()
        return True

    def _refusal(self, prev: int) -> dict[str, Any]:
        """Why, and where to try next: "the follower can include the term of the conflicting entry and the first index it stores for that
        term" (end of 5.3).
        """
        log = self._state.log
        hint = log.last_index + 1 if prev > log.last_index else log.first_of_term(prev)
        return {"ok": False, "prev": prev, "hint": hint}

    def _reply(self, message: Message, result: dict[str, Any]) -> None:
        request: Body = message["body"]
        reply: Body = {"type": "append_reply", "term": self._state.term, **result}
        for field in ECHOED:
            reply[field] = request[field]
        if self._state.bugs.append_from_stale_term:
            reply["term"] = request["term"]
        self._state.env.send(message["src"], reply)
