"""The node program ``dfs/gfs``: a data node, and on the first nodes a metadata server beside it."""

from __future__ import annotations

from typing import Any

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.datanode import DataNode
from targets.dfs.gfs.failover import Failover
from targets.dfs.gfs.journal import Journal
from targets.dfs.gfs.leases import Leases
from targets.dfs.gfs.namespace import Namespace
from targets.dfs.gfs.peers import Peers
from targets.dfs.gfs.repair import Repair
from targets.dfs.gfs.replicas import Replicas
from targets.dfs.gfs.requests import Requests
from targets.node.env import Env
from targets.node.records import Damaged


class Server:
    """The metadata part of one node. Raises Damaged if the disk does not give back what was synced."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, peers: Peers) -> None:
        self._env = env
        self.journal = Journal(env, config, bugs, peers, Namespace())
        self.failover = failover = Failover(env, config, bugs, peers, self.journal)
        self.replicas = replicas = Replicas(env, config, bugs, peers)
        self._leases = leases = Leases(env, config, bugs, peers, failover=failover, replicas=replicas)
        self._repair = Repair(env, config, bugs, failover=failover, replicas=replicas, leases=leases)
        failover.when_active = self._begin
        Requests(env, config, bugs, failover=failover, replicas=replicas, leases=leases)

    def start(self) -> None:
        self._env.spawn(self.failover.watch())
        self._env.spawn(self._repair.watch())

    def _begin(self) -> None:
        self._leases.begin()
        self._repair.begin()


class GfsNode:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env = env
        config, bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        peers = Peers(env)
        self._server: Server | None = None
        self._damaged = False
        if env.node_id in env.node_ids[: config.servers]:
            try:
                self._server = Server(env, config, bugs, peers)
            except Damaged as damage:  # it cannot know what it has promised: the others go on without it
                self._damaged = True
                env.log("damaged", why=str(damage))
        self._data = DataNode(env, config, bugs, peers)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        if self._server is not None:
            self._server.start()
        self._data.start()

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows. The active metadata server is called that, whatever else it is."""
        holds = self._data.primary.holds()
        status: dict[str, Any] = {
            "role": "primary" if holds else "data",
            "term": 0,
            "holds": holds,
            "chunks": len(self._data.store.known),
        }
        if self._server is not None:
            failover = self._server.failover
            status |= {
                "term": failover.known[0],
                "active": failover.known[1],
                "files": len(self._server.journal.namespace.paths),
            }
            status["role"] = "active" if failover.serving else status["role"] if holds else "standby"
        return status | ({"damaged": True} if self._damaged else {})
