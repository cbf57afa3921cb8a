"""Options of a node as a frozen dataclass: taken from what a run says, converted to each field's type. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

Chosen = TypeVar("Chosen")


def chosen(cls: type[Chosen], options: Mapping[str, Any]) -> Chosen:
    """``cls`` with those of ``options`` that are its fields; others are not ours. Raises ValueError."""
    values: dict[str, Any] = {}
    for field in fields(cls):  # type: ignore[arg-type]  # a dataclass, which typing cannot say
        if field.name in options:
            try:
                values[field.name] = _CONVERT[str(field.type)](options[field.name])
            except (TypeError, ValueError, KeyError) as error:
                raise ValueError(f"option {field.name}={options[field.name]!r} is no {field.type}") from error
    return cls(**values)


def _truth(value: Any) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]


_CONVERT: dict[str, Callable[[Any], Any]] = {"float": float, "int": int, "bool": _truth, "str": str}
