"""The codecs of a run: the same history through each in the simulator, the same verdict on real processes and streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clusters import codecs
from harness.errors import PlanError
from targets.node.codecs import CODECS, Malformed
from tests.simulation import plan_of, run, why

BRIEF = {
    "nemesis": "partition,kill,pause,clock",
    "time_limit_s": 6.0,
    "interval_s": 2.0,
    "recovery_s": 4.0,
    "rate": 40.0,
    "progress_s": 4.0,
}


@pytest.mark.parametrize("target", ["kv/raft", "queue/log"])
def test_the_same_seed_gives_the_same_history_through_each_codec(target: str, tmp_path: Path) -> None:
    """Also to the last reply; only a link that carries so many bytes per second would tell them apart."""
    histories = set()
    for name in CODECS:
        report = run(target, seed=5, path=tmp_path / name, options={"codec": name}, **BRIEF)
        assert report.results["verdict"] != "invalid", why(report)
        (history,) = (tmp_path / name).glob(f"{target}/2*/history.jsonl")
        histories.add(history.read_bytes())
    assert len(histories) == 1


@pytest.mark.process
@pytest.mark.parametrize("cluster", ["process", "proxy"])
@pytest.mark.parametrize("name", ["xml", "protobuf"])
def test_real_nodes_speak_each_codec(name: str, cluster: str) -> None:
    report = run(seed=3, cluster=cluster, options={"codec": name}, **BRIEF | {"recovery_s": 8.0, "progress_s": 8.0})
    assert report.results["verdict"] == "valid", why(report)


@pytest.mark.parametrize("name", ["yaml", 5, [1]])
def test_an_unknown_codec_is_an_error_of_the_plan(name: object) -> None:
    with pytest.raises(PlanError, match="option codec: no codec is called .*: known are json, xml, protobuf"):
        plan_of(seed=1, options={"codec": name})


@pytest.mark.parametrize("name", CODECS)
def test_a_router_reads_addresses_and_refuses_garbage(name: str) -> None:
    wire = codecs.wire({"codec": name})
    src, dest, raw = wire.frame(wire.encode({"src": "n1", "dest": "c1", "body": {"type": "t", "value": [1]}}))
    assert (src, dest, wire.body(raw)) == ("n1", "c1", {"type": "t", "value": [1]})
    with pytest.raises(Malformed):
        wire.body(wire.frame(b"\x0bnonsense")[2])


def test_a_body_that_is_no_object_is_malformed() -> None:
    with pytest.raises(Malformed):
        codecs.JSON.body(codecs.JSON.frame(b'{"src":"n1","dest":"c1","body":[1]}')[2])
