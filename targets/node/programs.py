"""The node programs that ``python -m targets.node NAME`` knows: name → "module:attr". Any other "module:attr" is run as well."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from targets.node.env import Env

PROGRAMS = {
    "echo": "targets.node.echo:Echo",
    "kv/raft": "targets.kv.raft:server",
    "kv/counter": "targets.kv.counter:Counter",
    "kv/crdt": "targets.kv.crdt:Crdt",
    "kv/unique-ids": "targets.kv.crdt:Ids",
    "kv/primary": "targets.kv.primary:Primary",
    "kv/dynamo": "targets.kv.dynamo:Dynamo",
    "queue/log": "targets.queue.log:LogBroker",
    "queue/broker": "targets.queue.broker:Broker",
    "dsm": "targets.dsm.memory:SharedMemory",
    "clock": "targets.clock.logical:ClockNode",
    "clock/ntp": "targets.clock.ntp:TimeNode",
    "txn": "targets.txn.store:TxnStore",
    "registry": "targets.registry.service:RegistryNode",
    "dfs/gfs": "targets.dfs.gfs:GfsNode",
    "lock": "targets.lock.service:LockService",
}


def load(name: str) -> Callable[[Env], Any]:
    """The program called ``name``. Raises LookupError with one sentence if there is none."""
    path = PROGRAMS.get(name, name)
    module, colon, attr = path.partition(":")
    if not colon:
        raise LookupError(
            f"no node program is called {name!r}: known are {', '.join(sorted(PROGRAMS))}, or give MODULE:ATTR"
        )
    try:
        program: Callable[[Env], Any] = getattr(import_module(module), attr)
    except ImportError as error:
        raise LookupError(f"cannot import {module!r} for the node program {name!r}: {error}") from error
    except AttributeError as error:
        raise LookupError(f"module {module!r} has no {attr!r}, which the node program {name!r} needs") from error
    return program
