"""The node program of the registry: every node keeps it, and serves clients.

Whatever changes the registry, and every lookup, goes through the replicated log. A watch is answered by what the node knows itself: it may
lag, and it never leaves out a change. Copies that the network makes of a request are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from targets.kv.raft.bugs import Bugs as RaftBugs
from targets.lock.service.expiry import expire
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.quorum import Copies, Quorum
from targets.registry.service.bugs import Bugs
from targets.registry.service.config import WALL, Config
from targets.registry.service.machine import Entries
from targets.registry.service.probes import Hosted, Prober

SUBMIT_S = 1.0  # patience for a command
# A client's request → the fields of its body that are the command's arguments.
REQUESTS = {
    "register": ("service", "session", "opens"),
    "deregister": ("service", "session"),
    "beat": ("session",),
    "leave": ("session",),
    "lookup": ("service",),
    "withdraw": ("instance",),
    "instances": ("service",),
    "healthy": ("service",),
}
READS = ("lookup", "instances", "healthy")


class RegistryNode:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._config, self._bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        self._entries = Entries(self._bugs)
        raft = RaftBugs(ack_before_quorum=self._bugs.registered_before_quorum)
        self._quorum = quorum = Quorum(env, self._entries, env.options, raft)
        if self._bugs.failover_ends_sessions:
            quorum.core.roles.when_elected.append(partial(quorum.propose, ["end-all"]))
        self._copies = Copies()
        self._watchers: set[str] = set()
        self._hosted = Hosted(env, self._bugs)
        self._prober = Prober(env, self._bugs, quorum, self._entries.checks, self._hosted)
        for type_ in REQUESTS:
            env.on(type_, self._once(self._carry_out))
        env.on("serve", self._once(self._on_serve))
        for type_, answers in (("answer", True), ("mute", False)):
            env.on(type_, self._once(partial(self._on_turn, answers)))
        env.on("watch", self._on_watch)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self._quorum.start()
        now_s: Callable[[], float] = self._env.wall_time if self._config.clock == WALL else self._env.monotonic
        self._env.spawn(expire(self._entries, self._quorum, now_s, self._config.ttl_s))
        self._env.spawn(self._prober.run())

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows."""
        state = self._quorum.state
        sessions, revision = sum(1 for _ in self._entries.leases()), self._entries.revision
        return {
            "role": state.role.value,
            "term": state.term,
            "leader": state.leader,
            "sessions": sessions,
            "revision": revision,
        }

    def _once(
        self, carry_out: Callable[[Body], Coroutine[Any, Any, Body]]
    ) -> Callable[[Message], Coroutine[Any, Any, Body] | None]:
        """A handler that drops copies which the network made."""

        def handle(message: Message) -> Coroutine[Any, Any, Body] | None:
            return None if self._copies.is_copy(message) else carry_out(message["body"])

        return handle

    async def _carry_out(self, body: Body) -> Body:
        type_ = body["type"]
        if type_ == "lookup" and self._bugs.lookup_local:
            return {"type": "lookup_ok", "found": self._entries.found(body["service"])}
        result = await self._submit([type_, *(body[name] for name in REQUESTS[type_])])
        if type_ in READS:
            return {"type": f"{type_}_ok", "found": result["found"]}
        if type_ == "beat":  # an answer like any other: whether the session lives
            return {"type": "beat_ok", "alive": result["ok"]}
        if not result["ok"]:
            raise Refusal(codes.PRECONDITION, "there is no such session, entry or instance any more")
        if type_ == "withdraw":
            self._hosted.end(body["instance"])
            return {"type": "withdraw_ok"}
        return {"type": f"{type_}_ok", "ttl_s": self._config.ttl_s}

    async def _on_serve(self, body: Body) -> Body:
        """An instance begins to run on this node, and is registered with a check."""
        name, check = body["instance"], self._config.check
        self._hosted.begin(name)
        result = await self._submit(["enrol", body["service"], name, self._env.node_id, check])
        if not result["ok"]:
            raise Refusal(codes.PRECONDITION, "there is such an instance already")
        return {"type": "serve_ok", "check": check}

    async def _on_turn(self, answers: bool, body: Body) -> Body:
        self._hosted.turn(body["instance"], answers)
        return {"type": f"{body['type']}_ok"}

    async def _submit(self, command: list[Any]) -> Body:
        try:
            return await self._quorum.submit(command, SUBMIT_S)
        except TimeoutError as error:
            raise Refusal(codes.TIMEOUT, "the leader did not answer") from error

    def _on_watch(self, message: Message) -> Body:
        since, revision = message["body"]["since"], self._entries.revision
        if self._bugs.watch_from_now and message["src"] not in self._watchers:
            self._watchers.add(message["src"])
            return {"type": "watch_ok", "changes": [], "upto": max(since, revision)}
        changes = self._entries.since(since, self._config.batch_max)
        return {"type": "watch_ok", "changes": changes, "upto": changes[-1][0] if changes else since}
