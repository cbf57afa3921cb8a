"""The packet log: what is said of a packet, and what it tells of a run's links."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.fabric.packet_log import line
from harness.effects import PacketShape
from tests.conformance.worlds import World
from tests.harness.clusters.local.running import needs_namespaces, run

SRC, DEST = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
FOUR = bytes([0x45, 0, 0, 27]) + bytes(8) + SRC + DEST + b"payload"
NAMES = {SRC: "n1", DEST: "n2"}
PROBES = 200


def test_a_packet_of_the_run_is_said() -> None:
    said = line(FOUR, 7, NAMES.get, outgoing=True)
    assert said is not None
    fields = json.loads(said)
    assert (fields["t_ns"], fields["way"], fields["src"], fields["dest"], fields["bytes"]) == (7, "out", "n1", "n2", 27)


def test_a_hop_does_not_change_the_mark_and_content_does() -> None:
    def mark(data: bytes) -> int:
        said = line(data, 0, NAMES.get, outgoing=False)
        assert said is not None
        return int(json.loads(said)["mark"])

    hopped = FOUR[:8] + b"\x3f" + FOUR[9:]
    assert mark(hopped) == mark(FOUR) != mark(FOUR[:-1] + b"!")


@pytest.mark.parametrize("data", [b"", b"\x45", FOUR[:12] + bytes([9, 9, 9, 9]) + FOUR[16:], b"\x00" + FOUR])
def test_nothing_is_said_of_other_packets(data: bytes) -> None:
    assert line(data, 0, NAMES.get, outgoing=True) is None


async def scenario(world: World) -> Any:
    """A link that is slow and loses packets, one that is cut, and a client's call; what was measured of the first."""
    await world.cluster.shape([("n1", "n2")], PacketShape(delay_s=0.05, loss=0.3))
    shaped = await world.cluster.measure(("n1", "n2"), PROBES)
    await world.cluster.cut([("n2", "n3")])
    assert await world.cluster.reaches([("n2", "n3")]) == [False]
    await world.call("n1", "echo")
    return shaped


def tells(directory: Path, shaped: Any) -> None:
    """The log tells what the links did in ``scenario``."""
    first, *lines, last = [
        json.loads(text) for text in (directory / "packets.jsonl").read_text(encoding="ascii").splitlines()
    ]
    assert (list(first), last) == (["began_ns"], {"missed": 0})
    assert {one.get("type") for one in lines if one["src"] == "c1"} >= {"echo"}
    ways: dict[tuple[str, str], Counter[str]] = {}
    times: dict[tuple[str, int], dict[str, int]] = {}
    for one in lines:
        ways.setdefault((one["src"], one["dest"]), Counter())[one["way"]] += 1
        if (one["src"], one["dest"]) == ("n1", "n2"):
            times.setdefault((one["src"], one["mark"]), {})[one["way"]] = one["t_ns"]
    assert ways["n1", "n2"]["in"] - ways["n1", "n2"]["out"] == round(shaped["lost"] * PROBES)
    assert ways["n2", "n3"]["in"] > ways["n2", "n3"]["out"] == 0
    assert ways["c1", "n1"]["in"] == ways["c1", "n1"]["out"] > 0
    late_s = [(time["out"] - time["in"]) * 1e-9 for time in times.values() if len(time) == 2]
    assert len(late_s) > 100
    assert min(late_s) >= 0.0499


@needs_namespaces[0]
@needs_namespaces[1]
@pytest.mark.parametrize("version", [4, 6])
def test_it_tells_what_a_link_did(tmp_path: Path, version: int) -> None:
    tells(tmp_path, run(tmp_path, scenario, ip=version, packet_log=True))
