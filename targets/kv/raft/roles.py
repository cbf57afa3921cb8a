"""The transitions between roles (Figure 4), and who must hear of them. What a role does is elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from targets.kv.raft.state import Role, State


class Roles:
    """Every change of role, term or known leader goes through here, so that nobody can forget a part of it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.when_elected: list[Callable[[], None]] = []  # called in order when this server has become leader
        self.when_deposed: list[Callable[[], None]] = []  # ... when it has ceased to be leader
        self.when_leader_gone: list[
            Callable[[], None]
        ] = []  # ... when the leader that it knew (not itself) is not known any more

    def follow(self, term: int, leader: str | None) -> None:
        """Be a follower in ``term``.

        Figure 2, Rules for Servers: "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower."
        """
        if term > self._state.term:
            self._state.enter(term, None)
        self._become(Role.FOLLOWER, leader)

    def seek(self) -> None:
        """Be a pre-candidate: the term stays, for the majority may be content with a leader that this server does not hear."""
        self._become(Role.PRE_CANDIDATE, None)

    def stand(self) -> None:
        """Be a candidate: "increment currentTerm, vote for self" (Figure 2, Candidates)."""
        self._state.enter(self._state.term + 1, self._state.me)
        self._become(Role.CANDIDATE, None)

    def lead(self) -> None:
        """Be the leader of the current term."""
        self._become(Role.LEADER, self._state.me)

    def _become(self, role: Role, leader: str | None) -> None:
        state = self._state
        led, known = state.leads, state.leader
        changed = state.role is not role
        state.role, state.leader = role, leader
        if changed:
            state.env.log(role.value, term=state.term)
        if led and role is not Role.LEADER:
            _call(self.when_deposed)
        if known is not None and known not in {leader, state.me}:
            _call(self.when_leader_gone)
        if role is Role.LEADER and not led:
            _call(self.when_elected)


def _call(hooks: list[Callable[[], None]]) -> None:
    for hook in hooks:
        hook()
