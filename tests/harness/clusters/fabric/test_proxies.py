"""Proxies between real sockets: nothing lost or turned round, whatever the link does; silence while it is cut; all closed in the end."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from harness.clusters.fabric import proxies
from harness.clusters.fabric.links import NONE, Links
from harness.clusters.fabric.proxies import HOST, WAITING_BYTES_MAX, Proxies
from harness.effects import PacketShape

THERE, BACK = ("n1", "n2"), ("n2", "n1")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Net:
    """Proxies, with a server in the place of n2, which hands over who has called."""

    def __init__(self) -> None:
        self.links = Links(1, ("n1", "n2"), NONE)
        self.noted: list[tuple[str, str, bytes]] = []
        self.landed: list[bytes] = []
        self.proxies = Proxies(("n1", "n2"), self.links, self.note)
        self.calls: asyncio.Queue[Streams] = asyncio.Queue()

    def note(self, src: str, dest: str, data: bytes) -> Callable[[], object]:
        self.noted.append((src, dest, data))
        return lambda: self.landed.append(data)

    async def call(self) -> Streams:
        return await asyncio.open_connection(HOST, int(self.proxies.book("n1")["n2"].rpartition(":")[2]))

    async def pair(self) -> tuple[Streams, Streams]:
        near = await self.call()
        return near, await self.calls.get()

    def mend(self, link: tuple[str, str]) -> None:
        self.links.mend([link])
        self.proxies.pump()


def play(scenario: Callable[[Net], Awaitable[None]], *, serve: bool = True) -> None:
    async def body() -> None:
        net = Net()
        await net.proxies.start()
        server = None
        if serve:
            server = await asyncio.start_server(
                lambda reader, writer: net.calls.put_nowait((reader, writer)), HOST, net.proxies.ports["n2"]
            )
        try:
            async with asyncio.timeout(30):
                await scenario(net)
        finally:
            await net.proxies.stop()
            if server is not None:
                server.close()
            await asyncio.sleep(0.01)

    before = descriptors()
    asyncio.run(body())
    assert descriptors() == before


def descriptors() -> int:
    """How many this process has, but for those that only wait to be collected; 0 where the system does not tell."""
    gc.collect()
    own = Path("/proc/self/fd")
    return len(list(own.iterdir())) if own.exists() else 0


async def silent(reader: asyncio.StreamReader, for_s: float = 0.1) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(for_s):
            return not await reader.read(1)
    return True


def close(*streams: Streams) -> None:
    for _, writer in streams:
        writer.transport.abort()


@pytest.mark.parametrize(
    "shape",
    [
        None,
        PacketShape(loss=0.1, reorder=0.3, duplicate=0.3),
        PacketShape(delay_s=0.02, jitter_s=0.02),
        PacketShape(corrupt=0.1),
    ],
)
def test_a_stream_comes_out_as_it_went_in(shape: PacketShape | None) -> None:
    async def scenario(net: Net) -> None:
        if shape is not None:
            net.links.shape([THERE], shape)
        near, far = await net.pair()
        sent = os.urandom(100_000)
        near[1].write(sent)
        assert await far[0].readexactly(len(sent)) == sent
        far[1].write(sent)
        assert await near[0].readexactly(len(sent)) == sent
        near[1].close()
        assert await far[0].read() == b""
        close(near, far)

    play(scenario)


def test_what_leaves_is_noted_and_that_it_arrives_when_it_does() -> None:
    async def scenario(net: Net) -> None:
        near, far = await net.pair()
        near[1].write(b"first")
        assert await far[0].readexactly(5) == b"first"
        net.links.cut([THERE])
        near[1].write(b"second")
        far[1].write(b"back")
        assert await near[0].readexactly(4) == b"back"
        while len(net.noted) < 3:  # play has a limit
            await asyncio.sleep(0.001)
        assert await silent(far[0])
        assert sorted(net.noted) == [(*THERE, b"first"), (*THERE, b"second"), (*BACK, b"back")]
        assert net.landed == [b"first", b"back"]
        net.mend(THERE)
        assert await far[0].readexactly(6) == b"second"
        assert net.landed == [b"first", b"back", b"second"]
        close(near, far)

    play(scenario)


def test_a_cut_is_silence_one_way_and_all_comes_when_it_is_mended() -> None:
    async def scenario(net: Net) -> None:
        near, far = await net.pair()
        net.links.cut([THERE])
        near[1].write(b"there")
        far[1].write(b"back")
        assert await near[0].readexactly(4) == b"back"
        assert await silent(far[0])
        near[1].close()  # nor is that heard
        assert await silent(far[0])
        net.mend(THERE)
        assert await far[0].read() == b"there"
        close(near, far)
        assert net.links.tally(THERE).dropped > 0

    play(scenario)


def test_a_cut_takes_what_is_under_way() -> None:
    async def scenario(net: Net) -> None:
        near, far = await net.pair()
        net.links.shape([THERE], PacketShape(delay_s=1.0))
        near[1].write(b"late")
        while not net.links.tally(THERE).delayed:
            await asyncio.sleep(0.01)
        net.links.cut([THERE])
        assert await silent(far[0], 1.2)
        net.mend(THERE)
        assert await far[0].readexactly(4) == b"late"
        close(near, far)

    play(scenario)


@pytest.mark.parametrize("link", [THERE, BACK])
def test_a_call_over_a_link_that_is_cut_goes_through_when_it_is_mended(link: tuple[str, str]) -> None:
    async def scenario(net: Net) -> None:
        net.links.cut([link])
        near = await net.call()
        near[1].write(b"hello")
        await asyncio.sleep(0.1)
        assert net.calls.empty()
        net.mend(link)
        far = await net.calls.get()
        assert await far[0].readexactly(5) == b"hello"
        close(near, far)

    play(scenario)


def test_who_calls_a_node_that_is_down_is_hung_up_on() -> None:
    async def scenario(net: Net) -> None:
        reader, writer = await net.call()
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

    play(scenario, serve=False)


def test_a_connection_over_a_link_that_loses_all_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "GIVEN_UP_S", 0.2)

    async def scenario(net: Net) -> None:
        near, far = await net.pair()
        net.links.shape([THERE], PacketShape(loss=1.0))
        near[1].write(b"lost")
        with suppress(ConnectionResetError):
            assert await far[0].read() == b""
        with suppress(ConnectionResetError):
            assert await near[0].read() == b""
        close(near, far)
        reader, writer = await net.call()  # nor does a new one come about
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        close((reader, writer))

    play(scenario)


def test_who_sends_into_a_cut_is_told_to_wait() -> None:
    async def scenario(net: Net) -> None:
        near, far = await net.pair()
        net.links.cut([THERE])
        piece, sent = b"x" * 65536, 0
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:
                    near[1].write(piece)
                    sent += len(piece)
                    await near[1].drain()
        assert WAITING_BYTES_MAX < sent < 64 << 20  # ours, and what the kernel keeps
        net.mend(THERE)
        assert len(await far[0].readexactly(sent)) == sent
        close(near, far)

    play(scenario)
