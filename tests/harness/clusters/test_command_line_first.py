"""The first line that a life is given is its command line: what is said to a node before it has that would be taken for it."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from harness.clusters.containers.engine import Engine
from harness.clusters.containers.life import Life
from harness.clusters.hosts.node import HostNode

EARLY, LATE = "asked too early", "asked"
ECHO = [sys.executable, "-S", "-c", "import sys; [print(line, end='', flush=True) for line in sys.stdin]"]


class Container:
    """An engine with one container, whose standard input is ``hears``."""

    def __init__(self) -> None:
        self.client = self
        self.theirs, self.hears = socket.socketpair()

    async def call(self, _what: str, function: Callable[..., Any], *_: Any, **__: Any) -> Any:
        return self.theirs if function.__name__ == "_attach" else None

    def start(self) -> None:
        """It is there already."""


def test_a_container_hears_nothing_before_its_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(_life: Life) -> None:
        """Its processes."""

    async def scenario() -> bytes:
        container = Container()
        life = Life(cast("Engine", container), "c", lambda _line: None, lambda _end: None)

        async def prepared() -> None:
            life.write(f"{EARLY}\n".encode())

        try:
            await life.start(ECHO, tmp_path / "log", prepared)
            life.write(f"{LATE}\n".encode())
        finally:
            life.close()
        heard = b""
        with container.hears as hears:
            hears.setblocking(False)
            while piece := await asyncio.get_running_loop().sock_recv(hears, 1 << 16):
                heard += piece
        return heard

    monkeypatch.setattr(Life, "_processes", nobody)
    first, *rest = asyncio.run(scenario()).decode().splitlines()
    assert (json.loads(first), rest) == (ECHO, [LATE])


@pytest.mark.process
def test_a_program_on_a_host_hears_nothing_before_it_runs(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        told: asyncio.Queue[Any] = asyncio.Queue()
        node = HostNode(tmp_path, told.put_nowait)

        async def follow(_node: str) -> None:
            node.write(EARLY)

        node.clocks.follow = follow  # type: ignore[method-assign]
        heard: list[str] = []
        try:
            for _life in range(2):
                await node.spawn(ECHO)
                node.write(LATE)
                heard.append((await told.get())["line"])
                await node.kill()
                assert "ended" in await told.get()
        finally:
            await node.close()
        return heard

    assert asyncio.run(scenario()) == [LATE, LATE]
