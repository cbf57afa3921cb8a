"""Probes: the leader asks every instance again and again whether it lives, over the network, and has the registry say what it found.

An instance lives on the node that it was registered at, and is gone with that node: it is what a partition, a pause or a crash befalls.
It answers a probe, or is silent. What a check needs is registered with the instance, and its status is replicated, so a new leader goes on;
it counts failures, and how long an instance has been critical, anew.
"""

from __future__ import annotations

import asyncio

from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.quorum import Quorum
from targets.registry.service.bugs import Bugs
from targets.registry.service.checks import CRITICAL, PASSING, Checks, Instance

LOOK_S = 0.1  # so often a leader looks for instances that it does not probe yet


class Hosted:
    """The instances on this node: name → whether it answers. In memory alone."""

    def __init__(self, env: Env, bugs: Bugs) -> None:
        self._env, self._bugs = env, bugs
        self._answers: dict[str, bool] = {}
        env.on("probe", self._on_probe)

    def begin(self, name: str) -> None:
        """It runs here from now on, and answers."""
        self._answers[name] = True

    def end(self, name: str) -> None:
        """It does not run here any more."""
        self._answers.pop(name, None)

    def turn(self, name: str, answers: bool) -> None:
        """From now on it answers, or does not. Raises Refusal if it does not run here."""
        if name not in self._answers:
            raise Refusal(codes.PRECONDITION, "this instance does not run here")
        self._answers[name] = answers

    def answers(self, name: str) -> bool:
        """Whether it answers a probe."""
        return self._bugs.node_answers_for_instance or self._answers.get(name, False)

    def _on_probe(self, message: Message) -> Body | None:
        return {"type": "probe_ok"} if self.answers(message["body"]["instance"]) else None


class Prober:
    """What the leader does about checks; on another node it is idle."""

    def __init__(self, env: Env, bugs: Bugs, quorum: Quorum, checks: Checks, hosted: Hosted) -> None:
        self._env, self._bugs, self._quorum, self._checks, self._hosted = env, bugs, quorum, checks, hosted
        self._term = -1  # in which this node led last
        self._followed: dict[str, None] = {}  # instances that are probed in this term, in order

    async def run(self) -> None:
        """For ever: where this node leads, follow every instance that there is."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._quorum.leads:
                continue
            if self._quorum.state.term != self._term:
                self._term = self._quorum.state.term
                self._followed = {}
                if self._bugs.probe_forgotten_after_failover:
                    self._followed = dict.fromkeys(self._checks.instances)
            for name in [name for name in self._checks.instances if name not in self._followed]:
                self._followed[name] = None
                self._env.spawn(self._follow(name, self._term))

    async def _follow(self, name: str, term: int) -> None:
        """Probe this instance for as long as it is there and this node leads this term."""
        failures, turn, since_s = 0, 0, 0.0
        while (instance := self._checks.instances.get(name)) and self._quorum.leads and self._quorum.state.term == term:
            begun_s = self._env.monotonic()
            failures = 0 if await self._probe(name, instance) else failures + 1
            if instance.turn != turn:
                turn, since_s = instance.turn, begun_s
            self._judge(name, instance, failures, self._env.monotonic() - since_s)
            rest_s: float = begun_s + instance.check["interval_s"] - self._env.monotonic()
            await asyncio.sleep(max(0.0, rest_s))

    def _judge(self, name: str, instance: Instance, failures: int, for_s: float) -> None:
        """Have the registry say what so many failures in a row mean for an instance that has had its status for so long."""
        if not self._quorum.leads:
            return
        failures_max = 1 if self._bugs.one_failure_is_critical else instance.check["failures"]
        too_long = for_s >= instance.check["deregister_s"] and not self._bugs.critical_never_deregistered
        if instance.status == CRITICAL and not failures:
            self._quorum.propose(["report", name, instance.turn, PASSING])
        elif instance.status == PASSING and failures >= failures_max:
            self._quorum.propose(["report", name, instance.turn, CRITICAL])
        elif instance.status == CRITICAL and too_long:
            self._quorum.propose(["reap", name, instance.turn])

    async def _probe(self, name: str, instance: Instance) -> bool:
        timeout_s: float = instance.check["timeout_s"]
        if instance.node == self._env.node_id:
            if self._hosted.answers(name):
                return True
            await asyncio.sleep(timeout_s)  # silence is known by waiting
            return False
        try:
            await self._env.rpc(instance.node, {"type": "probe", "instance": name}, timeout_s)
        except (TimeoutError, Refusal):
            return False
        return True
