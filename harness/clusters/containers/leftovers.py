"""Finders of what dead runs have left with the Docker engine: containers and networks with our labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from harness.clusters.containers import labels, sandbox
from harness.clusters.containers.engine import address, connect, explained
from harness.errors import ClusterError
from harness.heal import Leftover

LOOK_S = 30.0


def containers() -> Iterator[Leftover]:
    """Containers of runs, whatever their state. Raises ClusterError if an engine is there but does not answer."""
    with _Asked() as client:
        found = client.containers(all=True, filters={"label": labels.OURS}) if client is not None else []
        for container in found:
            name = (container.get("Names") or [container["Id"]])[0].lstrip("/")
            yield from _ours("container", name, container["Labels"], partial(_remove_container, container["Id"]))


def networks() -> Iterator[Leftover]:
    """Networks of runs. The docker cluster makes some where its controller is not root."""
    with _Asked() as client:
        for network in client.networks(filters={"label": labels.OURS}) if client is not None else []:
            yield from _ours("network", network["Name"], network["Labels"], partial(_remove_network, network["Id"]))


def _ours(kind: str, name: str, found: dict[str, str], remove: Callable[[], None]) -> Iterator[Leftover]:
    owner = labels.controller(found)
    if owner is not None:
        yield Leftover(kind=kind, name=name, owner=owner, run=found.get(labels.DIRECTORY, ""), remove=remove)


class _Asked:
    """A client of the engine; None where there is no engine at all, so that nothing can have been left with it."""

    def __enter__(self) -> Any:
        self._client = None
        where = address()
        if not where.startswith("unix://") or Path(where.removeprefix("unix://")).exists():
            self._client = connect(LOOK_S)
        return self._client

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()


def _remove_container(key: str) -> None:
    with explained("the Docker engine does not remove it"), _Asked() as client:
        if client is None:
            raise ClusterError("the Docker engine has gone")
        sandbox.remove_one(client, key)


def _remove_network(key: str) -> None:
    with explained("the Docker engine does not remove it"), _Asked() as client:
        if client is None:
            raise ClusterError("the Docker engine has gone")
        sandbox.remove_network(client, key)


FINDERS = {"containers": containers, "networks": networks}
