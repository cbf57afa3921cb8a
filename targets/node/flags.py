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
    known: list[str] = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # a dataclass, which typing cannot say
    flag = name.replace("-", "_")
    if flag not in known:
        listed = ", ".join(other.replace("_", "-") for other in known)
        raise ValueError(f"{target} has no seeded bug {name!r}: known are {listed}")
    chosen: dict[str, Any] = {flag: True}
    return cls(**chosen)
