"""What every memory does for the threads of its node. A thread is a client, by its name; it makes one access after the other."""

from __future__ import annotations

from typing import Any, Protocol


class Memory(Protocol):
    """One node's memory. A value is None where nobody has written."""

    async def read(self, thread: str, address: int) -> Any: ...

    async def write(self, thread: str, address: int, value: Any) -> None:
        """The write has happened when this returns, and has not if it is cancelled."""
        ...

    async def release(self, thread: str) -> None:
        """All that the thread wrote before is there for whoever acquires later."""
        ...

    async def acquire(self, thread: str) -> None:
        """What the thread reads from now on is no older than what was released before."""
        ...
