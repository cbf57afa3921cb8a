"""Options of a node as a frozen dataclass: taken from what a run says, converted to each field's type. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

Chosen = TypeVar("Chosen")


def chosen(cls: type[Chosen], options: Mapping[str, Any]) -> Chosen:
    """``cls`` with those of ``options`` that are its fields; others ("bug") are not ours. Raises ValueError."""
    kinds = get_type_hints(cls)
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # a dataclass, which typing cannot say
    return cls(**{name: _read(name, kinds[name], options[name]) for name in names if name in options})


def _read(name: str, kind: Any, value: Any) -> Any:
    never, convert, wanted = _KINDS.get(kind) or ((), kind, f"one of {', '.join(kind)}")  # a StrEnum
    if not isinstance(value, never):
        with suppress(TypeError, ValueError, KeyError):
            return convert(value)
    raise ValueError(f"option {name}={value!r} must be {wanted}")


def _truth(value: Any) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]


# A type → what is not meant as one though Python would convert it, how it is converted, and what is said of what cannot be.
_KINDS: Mapping[type, tuple[tuple[type, ...], Callable[[Any], Any], str]] = {
    int: ((bool, float), int, "a whole number"),
    float: ((bool,), float, "a number"),
    bool: ((), _truth, "true or false"),
    str: ((), str, "text"),
}
