"""The cluster's metadata, a state machine replicated by Raft (as KRaft does, KIP-500): brokers, partitions, who leads them, who is in sync.

Deterministic, as every replicated machine. Commands, all of which may be repeated:

* ``["register", node, incarnation, clean]``: a broker has started; ``clean``: it lost nothing that it had acknowledged;
* ``["fence", node, incarnation]``, ``["unfence", node, incarnation]``: it has fallen silent, it is heard again;
* ``["create", topic, partitions, replicas]``; ``["producer"]``: an id that nobody had;
* ``["isr", partition, leader, epoch, version, [[node, incarnation], ...]]``: the leader's wish for the in-sync set (AlterPartition). It is
  refused unless the leader knows the present epoch and version, and all named brokers live, in that incarnation (KIP-903).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from targets.node.env import Body
from targets.queue.log.bugs import Bugs
from targets.queue.log.config import Config

DONE: Body = {"ok": True}
REFUSED: Body = {"ok": False}


@dataclass(slots=True, kw_only=True)
class Partition:
    """``replicas`` in order of preference; ``isr``: in sync; ``elr``: eligible though not in sync (KIP-966); ``leader`` (None: offline) of
    ``epoch``, the ``last`` one that there was; ``version`` counts all changes.
    """

    replicas: list[str]
    isr: list[str]
    elr: list[str] = field(default_factory=list)
    leader: str | None
    last: str
    epoch: int = 1
    version: int = 1


@dataclass(slots=True, kw_only=True)
class Broker:
    """One broker's present life."""

    incarnation: int
    fenced: bool = False


class Metadata:
    """A ``targets.kv.raft.machine.StateMachine``. ``when_changed`` is called whenever brokers or partitions have changed."""

    def __init__(self, config: Config, bugs: Bugs) -> None:
        self._config = config
        self._unclean = config.unclean or bugs.unclean_election
        self.brokers: dict[str, Broker] = {}
        self.partitions: dict[str, Partition] = {}
        self._producers = 0
        self.when_changed: Callable[[], None] = _nothing

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``."""
        result = _COMMANDS[command[0]](self, *command[1:])
        self.when_changed()
        return result

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON."""
        return {
            "brokers": {name: asdict(broker) for name, broker in self.brokers.items()},
            "partitions": {name: asdict(partition) for name, partition in self.partitions.items()},
            "producers": self._producers,
        }

    def load(self, dump: dict[str, Any]) -> None:
        """Take over what ``dump`` returned."""
        self.brokers = {name: Broker(**fields) for name, fields in dump["brokers"].items()}
        self.partitions = {name: Partition(**_copied(fields)) for name, fields in dump["partitions"].items()}
        self._producers = dump["producers"]
        self.when_changed()

    def lives(self, node: str) -> bool:
        broker = self.brokers.get(node)
        return broker is not None and not broker.fenced

    def incarnation(self, node: str) -> int | None:
        broker = self.brokers.get(node)
        return None if broker is None else broker.incarnation

    # Commands

    def _register(self, node: str, incarnation: int, clean: bool) -> Body:
        if self.incarnation(node) == incarnation:
            return DONE
        self.brokers[node] = Broker(incarnation=incarnation)
        for partition in self.partitions.values():
            if self._config.elr and not clean:
                # KIP-966: who may have lost what it had is in sync no more.
                self._set_isr(partition, [name for name in partition.isr if name != node], lost=node)
            self._elect(partition, deposed=node)
        return DONE

    def _fence(self, node: str, incarnation: int) -> Body:
        broker = self.brokers.get(node)
        if broker is None or broker.incarnation != incarnation or broker.fenced:
            return REFUSED
        broker.fenced = True
        for partition in self.partitions.values():
            others = [name for name in partition.isr if name != node]
            if node in partition.isr and (others or self._config.elr):
                self._set_isr(partition, others)
            self._elect(partition, deposed=node)
        return DONE

    def _unfence(self, node: str, incarnation: int) -> Body:
        broker = self.brokers.get(node)
        if broker is None or broker.incarnation != incarnation:
            return REFUSED
        broker.fenced = False
        for partition in self.partitions.values():
            self._elect(partition)
        return DONE

    def _create(self, topic: str, partitions: int, replicas: int) -> Body:
        alive = [name for name in sorted(self.brokers) if self.lives(name)]
        if len(alive) < replicas:
            return REFUSED
        for number in range(partitions):
            name = f"{topic}-{number}"
            if name not in self.partitions:
                first = len(self.partitions) % len(alive)
                chosen = [*alive[first:], *alive[:first]][:replicas]
                self.partitions[name] = Partition(replicas=chosen, isr=list(chosen), leader=chosen[0], last=chosen[0])
        return DONE

    def _producer(self) -> Body:
        self._producers += 1
        return {"ok": True, "producer": self._producers}

    def _alter_isr(self, name: str, leader: str, epoch: int, version: int, wanted: list[list[Any]]) -> Body:
        partition = self.partitions.get(name)
        if partition is None or (partition.leader, partition.epoch, partition.version) != (leader, epoch, version):
            return REFUSED
        if not all(self.lives(node) and self.incarnation(node) == incarnation for node, incarnation in wanted):
            return REFUSED
        self._set_isr(partition, [node for node, _ in wanted])
        return DONE

    # Rules

    def _set_isr(self, partition: Partition, isr: list[str], lost: str | None = None) -> None:
        if self._config.elr:
            # They have all that is committed: nothing is, as long as fewer than min_isr are in sync.
            eligible = [*partition.elr, *(name for name in partition.isr if name not in partition.elr)]
            small = len(isr) < self._config.min_isr
            partition.elr = [name for name in eligible if small and name not in isr and name != lost]
        partition.isr = isr
        partition.version += 1

    def _elect(self, partition: Partition, deposed: str | None = None) -> None:
        """See to it that the partition has a leader that lives; ``deposed`` may lead on, but only in a new epoch."""
        leader = partition.leader
        if leader is not None and leader != deposed and leader in partition.isr and self.lives(leader):
            return
        chosen = self._candidate(partition)
        if chosen is None and leader is None:
            return
        if chosen is not None:
            if chosen not in partition.isr:
                eligible = chosen in partition.elr
                partition.isr = [chosen]
                partition.elr = [name for name in partition.elr if eligible and name != chosen]
            partition.last = chosen
        partition.leader = chosen
        partition.epoch += 1
        partition.version += 1

    def _candidate(self, partition: Partition) -> str | None:
        pools = [[name for name in partition.replicas if name in partition.isr], partition.elr]
        if not partition.isr and not partition.elr:
            pools.append([partition.last])
        if self._unclean:
            pools.append(partition.replicas)
        return next((name for pool in pools for name in pool if self.lives(name)), None)


_COMMANDS: dict[str, Callable[..., Body]] = {
    "register": Metadata._register,  # noqa: SLF001 - its own table
    "fence": Metadata._fence,  # noqa: SLF001
    "unfence": Metadata._unfence,  # noqa: SLF001
    "create": Metadata._create,  # noqa: SLF001
    "producer": Metadata._producer,  # noqa: SLF001
    "isr": Metadata._alter_isr,  # noqa: SLF001
}


def _copied(fields: dict[str, Any]) -> dict[str, Any]:
    """A snapshot is never changed, but a partition's lists are."""
    return {name: list(value) if isinstance(value, list) else value for name, value in fields.items()}


def _nothing() -> None:
    """What is called until the node has put its parts together."""
