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


# The drawing: two panels side by side, one line per memory and pattern.
WIDTH, HEIGHT, LEFT, TOP, GAP = 420, 300, 56, 40, 40
COLOURS = {"msi": "#1f6feb", "mesi": "#d4731a", "release": "#2a8f4f"}
DASHES = {"own": "", "sweep": ' stroke-dasharray="6 4"'}
TITLES = ("messages per access", "bytes per access")


def drawn(figures: dict[tuple[str, str], list[Figures]]) -> str:
    """The figures as SVG: page sizes to the right (logarithmic), messages or bytes per access upwards."""
    parts = []
    for panel, title in enumerate(TITLES):
        highest = max(row[panel] for rows in figures.values() for row in rows)
        parts += _panel(panel, title, highest, figures)
    width, height = 2 * (LEFT + WIDTH + GAP), TOP + HEIGHT + 90
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(panel: int, title: str, highest: float, figures: dict[tuple[str, str], list[Figures]]) -> Iterator[str]:
    x0, y0 = LEFT + panel * (LEFT + WIDTH + GAP), TOP + HEIGHT
    yield f'<text x="{x0}" y="{TOP - 14}" font-weight="bold">{title}, by locations per page</text>'
    yield f'<path d="M{x0} {TOP}V{y0}H{x0 + WIDTH}" fill="none" stroke="#888"/>'
    for tick in range(5):
        y, value = y0 - tick * HEIGHT / 4, highest * tick / 4
        yield f'<text x="{x0 - 6}" y="{y + 4:.0f}" text-anchor="end">{value:.{0 if highest >= 20 else 1}f}</text>'
        yield f'<path d="M{x0} {y:.1f}h{WIDTH}" stroke="#eee"/>'
    step = WIDTH / (len(SIZES) - 1)
    for place, size in enumerate(SIZES):
        yield f'<text x="{x0 + place * step:.0f}" y="{y0 + 18}" text-anchor="middle">{size}</text>'
    for number, ((memory, pattern), rows) in enumerate(figures.items()):
        points = [f"{x0 + place * step:.1f},{y0 - HEIGHT * row[panel] / highest:.1f}" for place, row in enumerate(rows)]
        line = f'stroke="{COLOURS[memory]}" stroke-width="2" fill="none"{DASHES[pattern]}'
        yield f'<polyline points="{" ".join(points)}" {line}/>'
        x, y = x0 + number % 3 * 140, y0 + 44 + number // 3 * 20
        yield f'<path d="M{x} {y - 4}h30" {line}/><text x="{x + 36}" y="{y}">{memory}, {pattern}</text>'


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
