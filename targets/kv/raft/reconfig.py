"""Changes of members, one server at a time (thesis 4.1), and the autopilot that makes them by itself.

Majorities of the old and of the new members overlap only if the two differ by one server, so "the leader must not begin the next change
before the last one is committed". And not before an entry of its own term is committed: else a change that an earlier leader began may
come back and count against this one's (the bug that Ongaro announced on raft-dev in July 2015).

The autopilot (option ``autopilot_s``) removes a member that has been silent, and adds it when it is heard again: clusters do so in earnest
(HashiCorp's calls it dead server cleanup), and under faults it brings changes of members into every run.
"""

from __future__ import annotations

from targets.kv.raft.replication import Replication
from targets.kv.raft.state import MEMBERS, State
from targets.node import codes
from targets.node.env import Message, Refusal


class Reconfig:
    """Decides whether the members may change now."""

    def __init__(self, state: State, replication: Replication) -> None:
        self._state, self._replication = state, replication
        self._returned: list[str] = []  # nodes that are no members but were heard

    def command(self, kind: str, node: str) -> list[object] | Refusal:
        """The command that adds or removes ``node``, or why it may not be proposed now (definite)."""
        state = self._state
        nodes = list(state.members.nodes)
        if node not in state.env.node_ids or (node in nodes) == (kind == "add_member"):
            return Refusal(
                codes.PRECONDITION, f"cannot {kind.replace('_', ' ')} {node!r}: members are {', '.join(nodes)}"
            )
        if nodes == [node]:
            return Refusal(codes.PRECONDITION, f"{node!r} is the last member")
        if state.members.index > state.commit and not state.bugs.reconfig_while_pending:
            return Refusal(codes.UNAVAILABLE, "another change of members is not committed yet")
        if state.log.term_at(state.commit) != state.term and not state.bugs.reconfig_before_term_commit:
            return Refusal(codes.UNAVAILABLE, "no entry of this leader's term is committed yet")
        changed = [*nodes, node] if kind == "add_member" else [other for other in nodes if other != node]
        return [MEMBERS, sorted(changed, key=state.env.node_ids.index), kind]

    def autopilot(self) -> None:
        """At every heartbeat of the leader: begin at most one change."""
        state, config = self._state, self._state.config
        if not config.autopilot_s:
            return
        returned, self._returned = self._returned, []
        for node in returned:
            if node not in state.members.nodes:
                self._propose("add_member", node)
                return
        if len(state.members.nodes) <= config.autopilot_min:
            return
        silent_since_s = self._replication.clock() - config.autopilot_s
        for node, peer in self._replication.peers.items():
            if peer.contact_s < silent_since_s:
                self._propose("remove_member", node)
                return

    def heard(self, message: Message) -> None:
        """``message`` asks for a vote: if its sender is no member, it is back, and does not know that it was removed."""
        state, node = self._state, message["src"]
        if state.leads and state.config.autopilot_s and node not in state.members.nodes and node not in self._returned:
            self._returned.append(node)

    def _propose(self, kind: str, node: str) -> None:
        command = self.command(kind, node)
        if not isinstance(command, Refusal):
            self._replication.propose(command)
