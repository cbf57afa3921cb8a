"""Messages and bytes per access against the size of a page: `python benchmarks/dsm_pages.py [ACCESSES] [SVG]`.

Shared memories of five nodes in the simulator without faults, one thread per node, ACCESSES accesses (by default 400) each, for pages of
1 to 64 locations, in two patterns:

* ``own``: every thread reads and writes (half and half) eight locations that nobody else uses, and that lie between those of the others:
  nothing is shared but pages. With pages of one location all is silent once everybody has its own; with larger ones the pages go to and
  fro for nothing (false sharing), unless several may write one page at a time (release consistency);
* ``sweep``: the first thread writes 320 locations one after the other, and then the others read them in order: the larger the page, the
  fewer requests, and no byte too many.

Printed as a table and drawn into SVG (by default ``benchmarks/dsm_pages.svg``). Bytes are those of the bodies of messages between nodes.
"""

from __future__ import annotations

import asyncio
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from harness.clusters.sim import SimCluster
from harness.protocols import ClusterSpec
from harness.rng import stream

NODES = ("n1", "n2", "n3", "n4", "n5")
MEMORIES = ("msi", "mesi", "release")
PATTERNS = ("own", "sweep")
SIZES = (1, 2, 4, 8, 16, 32, 64)
ACCESSES, OWN, SWEPT = 400, 8, 320
PATIENCE_S = 5.0

Figures = tuple[float, float]  # messages and bytes per access


async def measured(memory: str, size: int, pattern: str, accesses: int) -> Figures:
    """One memory with pages of this size under this pattern."""
    with tempfile.TemporaryDirectory() as directory:
        cluster = SimCluster(
            ClusterSpec(
                target=f"dsm/{memory}",
                program="targets.dsm.memory:SharedMemory",
                nodes=NODES,
                options={"model": memory, "page_size": size},
                seed=1,
                directory=Path(directory),
            )
        )
        await cluster.start()
        for phase in phases(pattern, accesses):
            async with asyncio.TaskGroup() as threads:
                for node, bodies in phase.items():
                    threads.create_task(run(cluster, node, bodies))
        asked = [await cluster.ask(node, {"type": "sb_status"}, 1.0) for node in NODES]
        await cluster.stop()
    told: list[dict[str, int]] = [answer["status"] for answer in asked if answer is not None]
    made = sum(status["accesses"] for status in told)
    return sum(status["messages"] for status in told) / made, sum(status["bytes"] for status in told) / made


async def run(cluster: SimCluster, node: str, bodies: Sequence[dict[str, Any]]) -> None:
    channel = cluster.channel(f"c{node}")
    for body in bodies:
        await channel.rpc(node, body, PATIENCE_S)


def phases(pattern: str, accesses: int) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """What each node's thread does, phase after phase."""
    if pattern == "own":
        yield {node: list(_own(number, accesses)) for number, node in enumerate(NODES)}
        return
    yield {NODES[0]: [{"type": "write", "address": address, "value": address} for address in range(SWEPT)]}
    read = [{"type": "read", "address": address} for address in range(SWEPT)]
    yield {node: list(islice(cycle(read), min(accesses, SWEPT))) for node in NODES[1:]}


def _own(number: int, accesses: int) -> Iterator[dict[str, Any]]:
    dice = stream(number, "dsm pages")
    for count in range(accesses):
        address = dice.randrange(OWN) * len(NODES) + (number + 1) % len(NODES)  # at home with another node
        if dice.random() < 0.5:
            yield {"type": "read", "address": address}
        else:
            yield {"type": "write", "address": address, "value": count}


# The drawing: a row of panels per pattern, a column for messages and one for bytes, and a line per memory. Lines that lie on one another
# stay visible: the first is broad and pale, the next ones are thinner, and each has a mark of its own.
WIDTH, HEIGHT, LEFT, TOP, APART = 380, 190, 62, 92, 84
STYLES = {"msi": ("#8ab8f0", 7, "circle"), "mesi": ("#c2410c", 2, "square"), "release": ("#15803d", 2, "triangle")}
MARKS = {
    "circle": '<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{colour}"/>',
    "square": '<rect x="{left:.1f}" y="{top:.1f}" width="7" height="7" fill="{colour}"/>',
    "triangle": '<path d="M{x:.1f} {top:.1f}l4.5 8h-9z" fill="{colour}"/>',
}
COLUMNS = ("messages per access", "bytes per access")
ROWS = {
    "own": "False sharing: five threads, each on locations of its own between those of the others, half of the accesses writes",
    "sweep": "One thread writes 320 locations, and then four read them in order",
}
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TICKS_MAX = 5


def drawn(figures: dict[tuple[str, str], list[Figures]]) -> str:
    """The figures as SVG: page sizes to the right (logarithmic), messages or bytes per access upwards."""
    parts = ['<text x="20" y="26" font-size="16" font-weight="bold">What a page costs, by its size</text>', *_legend()]
    for row, (pattern, words) in enumerate(ROWS.items()):
        y0 = TOP + row * (HEIGHT + APART)
        parts.append(f'<text x="20" y="{y0 - 26}" font-weight="bold">{words}</text>')
        for column, title in enumerate(COLUMNS):
            lines = {memory: [size[column] for size in figures[memory, pattern]] for memory in MEMORIES}
            parts += _panel(LEFT + column * (WIDTH + LEFT + 20), y0, title, lines)
    width, height = 2 * (WIDTH + LEFT + 20), TOP + 2 * (HEIGHT + APART) - 30
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _legend() -> Iterator[str]:
    for place, memory in enumerate(STYLES):
        x, y = 480 + place * 140, 22
        yield from _line(memory, [(x, y), (x + 34, y)])
        yield f'<text x="{x + 44}" y="{y + 4}">dsm/{memory}</text>'


def _panel(x0: float, y0: float, title: str, lines: dict[str, list[float]]) -> Iterator[str]:
    """One panel, whose upper left corner is at ``x0``, ``y0``."""
    step = _step(max(max(values) for values in lines.values()))
    highest = step * TICKS_MAX
    while highest - step >= max(max(values) for values in lines.values()):
        highest -= step
    bottom = y0 + HEIGHT
    yield f'<text x="{x0}" y="{y0 - 8}" fill="#444">{title}</text>'
    for tick in range(round(highest / step) + 1):
        y = bottom - HEIGHT * tick * step / highest
        yield f'<path d="M{x0} {y:.1f}h{WIDTH}" stroke="{"#ddd" if tick else "#888"}"/>'
        yield f'<text x="{x0 - 8}" y="{y + 4:.1f}" text-anchor="end">{tick * step:g}</text>'
    across = WIDTH / (len(SIZES) - 1)
    for place, size in enumerate(SIZES):
        yield f'<text x="{x0 + place * across:.1f}" y="{bottom + 18}" text-anchor="middle">{size}</text>'
    yield f'<text x="{x0 + WIDTH}" y="{bottom + 34}" text-anchor="end" fill="#444">locations per page</text>'
    for memory, values in lines.items():
        at = [(x0 + place * across, bottom - HEIGHT * value / highest) for place, value in enumerate(values)]
        yield from _line(memory, at)


def _line(memory: str, points: Sequence[tuple[float, float]]) -> Iterator[str]:
    colour, width, mark = STYLES[memory]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{path}" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round" fill="none"/>'
    for x, y in points:
        yield MARKS[mark].format(x=x, y=y, left=x - 3.5, top=y - (3.5 if mark == "square" else 5), colour=colour)


def _step(highest: float) -> float:
    """The least round number that reaches ``highest`` in TICKS_MAX steps."""
    power: float = 10.0 ** math.floor(math.log10(highest / TICKS_MAX))
    return next(step * power for step in STEPS if step * power * TICKS_MAX >= highest)


def main() -> None:
    accesses = int(sys.argv[1]) if len(sys.argv) > 1 else ACCESSES
    path = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_suffix(".svg")
    figures: dict[tuple[str, str], list[Figures]] = {}
    print(f"{'pattern':>8} {'memory':>8} " + " ".join(f"{size:>14}" for size in SIZES))
    for pattern in PATTERNS:
        for memory in MEMORIES:
            rows = figures[memory, pattern] = []
            for size in SIZES:
                with asyncio.Runner(loop_factory=SimCluster.loop_factory) as runner:
                    rows.append(runner.run(measured(memory, size, pattern, accesses)))
            cells = " ".join(f"{messages:>6.2f} {octets:>7.0f}" for messages, octets in rows)
            print(f"{pattern:>8} {memory:>8} {cells}", flush=True)
    path.write_text(drawn(figures), encoding="utf-8")
    print(f"messages and bytes per access; drawn into {path}")


if __name__ == "__main__":
    main()
