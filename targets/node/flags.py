"""Seeded bugs of a node program: a dataclass of flags of which at most one is set. Standard library only: it travels with the program."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

Flags = TypeVar("Flags")


def flags_named(cls: type[Flags], target: str, name: str | None) -> Flags:
    """``cls`` with the one flag called ``name`` set (a dash for an underscore), or with none.

    Raises ValueError, naming ``target`` and the names that it knows, for another one.
    """
    if name is None:
        return cls()
    known = names_of(cls)
    if name.replace("_", "-") not in known:
        raise ValueError(f"{target} has no seeded bug {name!r}: known are {', '.join(known)}")
    chosen: dict[str, Any] = {name.replace("-", "_"): True}
    return cls(**chosen)


def names_of(cls: type[Any]) -> tuple[str, ...]:
    """The names of the bugs that ``cls`` has flags for."""
    return tuple(field.name.replace("_", "-") for field in fields(cls))
