"""Options of a node as a frozen dataclass: taken from what a run says, converted to each field's type. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

Chosen = TypeVar("Chosen")


def chosen(cls: type[Chosen], options: Mapping[str, Any]) -> Chosen:
    """``cls`` with those of ``options`` that are its fields; others ("bug") are not ours. Raises ValueError."""
    kinds = get_type_hints(cls)
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # a dataclass, which typing cannot say
    return cls(**{name: _read(name, kinds[name], options[name]) for name in names if name in options})


def _read(name: str, kind: Any, value: Any) -> Any:
    convert, wanted = _KINDS.get(kind) or (kind, f"one of {', '.join(kind)}")  # a StrEnum
    try:
        return convert(value)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"option {name}={value!r} must be {wanted}") from error


def _whole(value: Any) -> int:
    return int(_no(value, (bool, float)))


def _number(value: Any) -> float:
    return float(_no(value, bool))


def _truth(value: Any) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]


def _no(value: Any, kinds: type | tuple[type, ...]) -> Any:
    if isinstance(value, kinds):
        raise TypeError
    return value


_KINDS: Mapping[type, tuple[Callable[[Any], Any], str]] = {
    int: (_whole, "a whole number"),
    float: (_number, "a number"),
    bool: (_truth, "true or false"),
    str: (str, "text"),
}
