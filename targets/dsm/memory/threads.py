"""What clients ask of a node: a read, a write, or a program of several steps, carried out by the thread that is theirs.

A refusal with 11 says that nothing has happened; with 0, that a part may have. Steps are those of litmus tests: ["w", address, value],
["r", address], with "release" or "acquire" as last word, ["fence"], ["lock", number], ["unlock", number], ["barrier", number, parties].
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.calls import Calls
from targets.dsm.memory.meetings import Meetings
from targets.dsm.memory.memory import Memory
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

Step = Sequence[Any]


class Threads:
    """One node's threads."""

    def __init__(
        self, env: Env, memory: Memory, meetings: Meetings, calls: Calls, *, patience_s: float, bugs: Bugs
    ) -> None:
        self._memory, self._meetings, self._calls = memory, meetings, calls
        self._patience_s, self._bugs = patience_s, bugs
        self._turns = 0  # one that is given up may still run when its thread begins the next
        self._steps: dict[str, Callable[[str, Step], Awaitable[Any]]] = {
            "r": self._read,
            "w": self._write,
            "fence": self._fence,
        }
        self._meets: dict[str, Callable[[str, int, Step], Awaitable[None]]] = {
            "lock": self._lock,
            "unlock": self._unlock,
            "barrier": self._barrier,
        }
        env.on("read", self._on_read)
        env.on("write", self._on_write)
        env.on("program", self._on_program)

    async def _on_read(self, message: Message) -> Body:
        (value,) = await self._run(message["src"], [["r", message["body"]["address"]]])
        return {"type": "read_ok", "value": value}

    async def _on_write(self, message: Message) -> Body:
        body = message["body"]
        await self._run(message["src"], [["w", body["address"], body["value"]]])
        return {"type": "write_ok"}

    async def _on_program(self, message: Message) -> Body:
        return {"type": "program_ok", "values": await self._run(message["src"], message["body"]["steps"])}

    async def _run(self, thread: str, steps: Sequence[Step]) -> list[Any]:
        """The values that were read. Raises Refusal if it takes too long."""
        values, written = [], False
        self._turns += 1
        turn = self._turns
        try:
            async with asyncio.timeout(self._patience_s):
                for step in steps:
                    meet = self._meets.get(step[0])
                    value = await (self._steps[step[0]](thread, step) if meet is None else meet(thread, turn, step))
                    written |= step[0] == "w"
                    if step[0] == "r":
                        values.append(value)
        except TimeoutError as error:
            code = codes.TIMEOUT if written else codes.UNAVAILABLE
            raise Refusal(code, f"not all was done within {self._patience_s:g} s") from error
        finally:
            self._meetings.leave(turn)
        return values

    async def _read(self, thread: str, step: Step) -> Any:
        self._calls.accesses += 1
        if step[-1] != "acquire":
            return await self._memory.read(thread, step[1])
        # Nothing older than the acquire may be read, neither by it nor behind it.
        await self._memory.acquire(thread)
        value = await self._memory.read(thread, step[1])
        await self._memory.acquire(thread)
        return value

    async def _write(self, thread: str, step: Step) -> None:
        self._calls.accesses += 1
        if step[-1] == "release":
            await self._memory.release(thread)
        await self._memory.write(thread, step[1], step[2])

    async def _fence(self, thread: str, _step: Step) -> None:
        await self._memory.release(thread)
        await self._memory.acquire(thread)

    async def _lock(self, thread: str, turn: int, step: Step) -> None:
        await self._meetings.lock(turn, step[1])
        await self._memory.acquire(thread)

    async def _unlock(self, thread: str, turn: int, step: Step) -> None:
        if not self._bugs.unlock_before_release:
            await self._memory.release(thread)
        await self._meetings.unlock(turn, step[1])

    async def _barrier(self, thread: str, _turn: int, step: Step) -> None:
        await self._memory.release(thread)
        await self._meetings.meet(step[1], step[2])
        await self._memory.acquire(thread)
