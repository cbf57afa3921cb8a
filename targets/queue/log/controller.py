"""The controller: whoever leads the metadata's quorum watches the brokers, and every broker tells it that it lives.

The controller notes in memory when it last heard each broker; a new one begins by having heard everybody. What follows from silence
(fencing, elections) is a command to the metadata, so that nobody can be wrong about it later.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from targets.node.env import Env, Message, Refusal
from targets.queue.log.config import Config
from targets.queue.log.metadata import Metadata
from targets.queue.quorum import Quorum

SUBMIT_S = 1.0  # patience for a command
PAUSE_S = 0.1  # before a registration is tried again


class Controller:
    """This node's part as a broker that registers and beats, and as the controller, if it is."""

    def __init__(self, env: Env, config: Config, quorum: Quorum, metadata: Metadata, incarnation: int) -> None:
        self._env, self._config, self._quorum, self._metadata = env, config, quorum, metadata
        self._incarnation = incarnation
        self._heard_s: dict[str, float] = {}
        quorum.core.roles.when_elected.append(self._begin)
        env.on("alive", self._on_alive)

    @property
    def registered(self) -> bool:
        """Whether the metadata, as this node has them, know of its present life."""
        return self._metadata.incarnation(self._env.node_id) == self._incarnation

    async def live(self) -> None:
        """Register, and then beat for ever."""
        env = self._env
        clean = self._config.fsync_s == 0
        while not self.registered:
            with suppress(Refusal, TimeoutError):  # there is no leader yet, say
                await self._quorum.submit(["register", env.node_id, self._incarnation, clean], SUBMIT_S)
            await asyncio.sleep(PAUSE_S)
        while True:
            state = self._quorum.state
            if state.leads:
                self._heard_s[env.node_id] = env.monotonic()
                self._watch()
            elif state.leader is not None:
                env.send(state.leader, {"type": "alive", "incarnation": self._incarnation})
            await asyncio.sleep(self._config.beat_s)

    def _begin(self) -> None:
        self._heard_s = dict.fromkeys(self._env.node_ids, self._env.monotonic())

    def _on_alive(self, message: Message) -> None:
        if self._quorum.state.leads and self._metadata.incarnation(message["src"]) == message["body"]["incarnation"]:
            self._heard_s[message["src"]] = self._env.monotonic()

    def _watch(self) -> None:
        """Fence whoever has fallen silent, and take back whoever is heard."""
        now_s = self._env.monotonic()
        for name, broker in self._metadata.brokers.items():
            silent = now_s - self._heard_s.get(name, now_s) > self._config.session_s
            if silent != broker.fenced:
                self._quorum.propose(["fence" if silent else "unfence", name, broker.incarnation])
