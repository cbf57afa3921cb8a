"""The resource: fenced, it refuses who comes late, also after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from targets.lock.service.bugs import Bugs
from targets.lock.service.resource import Resource
from targets.node import codes
from targets.node.env import Handler, Refusal


class Disk:
    """A disk on which everything is durable."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes:
        return self.files.get(name, b"")

    def replace(self, name: str, data: bytes) -> None:
        self.files[name] = data


class Place:
    """What the resource needs of an Env."""

    def __init__(self, disk: Disk) -> None:
        self.storage = disk
        self.handlers: dict[str, Handler] = {}

    def on(self, type_: str, handler: Handler) -> None:
        self.handlers[type_] = handler


def resource(disk: Disk, *, fenced: bool = True, bug: str | None = None) -> Any:
    place: Any = Place(disk)
    Resource(place, fenced=fenced, bugs=Bugs.named(bug))

    def write(token: int, lock: str = "l") -> bool:
        try:
            place.handlers["write"]({"body": {"lock": lock, "token": token}})
        except Refusal as refusal:
            return refusal.code != codes.PRECONDITION
        return True

    return write


def test_a_smaller_token_is_refused_and_the_same_one_is_not() -> None:
    write = resource(Disk())
    assert [write(token) for token in (1, 1, 3, 2, 3)] == [True, True, True, False, True]
    assert write(1, "another")


def test_what_was_seen_outlives_a_restart() -> None:
    disk = Disk()
    assert resource(disk)(5)
    assert not resource(disk)(4)


@pytest.mark.parametrize("options", [{"fenced": False}, {"bug": "token-not-checked"}])
def test_who_does_not_look_at_tokens_takes_them_all(options: dict[str, Any]) -> None:
    write = resource(Disk(), **options)
    assert [write(token) for token in (2, 1)] == [True, True]
