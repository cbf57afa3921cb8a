"""The options of a node with a logical clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from targets.node.options import chosen

LAMPORT, VECTOR, HYBRID = KINDS = ("lamport", "vector", "hybrid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target: which ``clock`` it has."""

    clock: str = LAMPORT

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.clock not in KINDS:
            raise ValueError(f"option clock={config.clock!r} is none of {', '.join(KINDS)}")
        return config
