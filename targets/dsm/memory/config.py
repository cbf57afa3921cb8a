"""The options of a node of a shared memory: times in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from targets.node.options import chosen

MSI, MESI, RELEASE, STORE_BUFFER = "msi", "mesi", "release", "store-buffer"
MODELS = (MSI, MESI, RELEASE, STORE_BUFFER)
PAGE_SIZE_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a node behaves. Every field is an option of the target.

    ``model``: which memory it is part of. ``page_size``: how many locations move together. ``attempt_s``: a request to another node that
    has no answer by then is sent again. ``patience_s``: what a client asks for and has not come about by then is refused.
    ``drain_s``: a store buffer begins to empty itself so long after the first write in it, or when somebody waits for that.
    With release consistency a write is sent home after ``flush_s``, and a copy is used for ``copy_s``, if nothing asks for that sooner.
    """

    model: str = MSI
    page_size: int = 2
    attempt_s: float = 0.4
    patience_s: float = 1.5
    drain_s: float = 0.005
    flush_s: float = 0.05
    copy_s: float = 0.2

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Config:
        """The options that are a field's name; others ("bug") are not ours. Raises ValueError."""
        config = chosen(cls, options)
        if config.model not in MODELS:
            raise ValueError(f"option model={config.model!r} is none of {', '.join(MODELS)}")
        if not 1 <= config.page_size <= PAGE_SIZE_MAX:
            raise ValueError(f"page_size must be 1 to {PAGE_SIZE_MAX} locations, not {config.page_size}")
        if not (0 < config.attempt_s <= config.patience_s and min(config.drain_s, config.flush_s, config.copy_s) >= 0):
            raise ValueError("0 < attempt_s <= patience_s, and drain_s, flush_s and copy_s of at least 0 must hold")
        return config


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where addresses (whole numbers from 0) lie: ``page_size`` in a row make a page, and pages go round the nodes for their homes."""

    page_size: int
    nodes: Sequence[str]

    def place(self, address: int) -> tuple[int, int]:
        """The page, and the place in it."""
        return divmod(address, self.page_size)

    def home(self, page: int) -> str:
        return self.nodes[page % len(self.nodes)]
