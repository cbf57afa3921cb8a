"""Instances that are registered with a check, and whether they pass it: the part of the registry's replicated state that probes keep.

Deterministic: it knows no time and asks nobody. An instance's turn grows with every change of its status, so that what a leader found out
about an older one is refused. Commands:

* ``["enrol", service, instance, node, check]``: the instance is there, and critical until a probe says that it answers;
* ``["withdraw", instance]``: it goes; refused if it is not there;
* ``["report", instance, turn, status]``: its status from now on; refused if it has changed since this turn;
* ``["reap", instance, turn]``: it has been critical for too long, and goes; refused if it has changed since this turn;
* ``["instances", service]``: all that are there, with their status; ``["healthy", service]``: those that pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from targets.node.env import Body
from targets.registry.service.bugs import Bugs

PASSING, CRITICAL = "passing", "critical"
UP, DOWN = "up", "down"


@dataclass(slots=True)
class Instance:
    """``check``: its ``interval_s``, ``timeout_s``, ``failures`` in a row that make it critical, and ``deregister_s``."""

    service: str
    node: str
    check: Mapping[str, Any]
    status: str = CRITICAL
    turn: int = 1


class Checks:
    """``changed(what, service, instance)`` is told of every change, which watches hear."""

    def __init__(self, bugs: Bugs, changed: Callable[[str, str, str], None]) -> None:
        self._bugs, self._changed = bugs, changed
        self.instances: dict[str, Instance] = {}

    def apply(self, command: list[Any]) -> Body:
        """Carry out ``command``."""
        return _COMMANDS[command[0]](self, *command[1:])

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON."""
        return {name: asdict(instance) for name, instance in self.instances.items()}

    def load(self, dump: Mapping[str, Any]) -> None:
        """Take over what ``dump`` returned."""
        self.instances = {name: Instance(**fields) for name, fields in dump.items()}

    # Commands

    def _enrol(self, service: str, name: str, node: str, check: Mapping[str, Any]) -> Body:
        if name in self.instances:
            return {"ok": False}
        self.instances[name] = Instance(service, node, check)
        self._changed(UP, service, name)
        return {"ok": True}

    def _withdraw(self, name: str) -> Body:
        instance = self.instances.pop(name, None)
        if instance is None:
            return {"ok": False}
        self._changed(DOWN, instance.service, name)
        return {"ok": True}

    def _report(self, name: str, turn: int, status: str) -> Body:
        instance = self.instances.get(name)
        if instance is None or instance.turn != turn:
            return {"ok": False}
        instance.status, instance.turn = status, turn + 1
        if not self._bugs.health_not_watched:
            self._changed(status, instance.service, name)
        return {"ok": True}

    def _reap(self, name: str, turn: int) -> Body:
        instance = self.instances.get(name)
        return self._withdraw(name) if instance is not None and instance.turn == turn else {"ok": False}

    def _instances(self, service: str) -> Body:
        mine = {name: one.status for name, one in self.instances.items() if one.service == service}
        return {"ok": True, "found": [[name, mine[name]] for name in sorted(mine)]}

    def _healthy(self, service: str) -> Body:
        told = (PASSING, CRITICAL) if self._bugs.critical_still_listed else (PASSING,)
        mine = [name for name, one in self.instances.items() if one.service == service and one.status in told]
        return {"ok": True, "found": sorted(mine)}


_COMMANDS: dict[str, Callable[..., Body]] = {
    "enrol": Checks._enrol,  # noqa: SLF001 - its own table
    "withdraw": Checks._withdraw,  # noqa: SLF001
    "report": Checks._report,  # noqa: SLF001
    "reap": Checks._reap,  # noqa: SLF001
    "instances": Checks._instances,  # noqa: SLF001
    "healthy": Checks._healthy,  # noqa: SLF001
}
