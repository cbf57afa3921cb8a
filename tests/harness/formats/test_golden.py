"""Recorded files of every dialect that we promise to read. They stay for ever; what they mean must not change."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from harness.formats import jsonl, load_history, save_history
from harness.formats.edn import Keyword, Symbol, Tagged
from harness.history import FAIL, FOREVER, INFO, OK
from harness.interning import identity
from tests.builders import history

GOLDEN = Path("tests/golden/histories")


def test_jepsen_records() -> None:
    run = load_history(GOLDEN / "jepsen-records.edn", keyed=True)
    assert run.index.tolist() == list(range(11))
    assert run.time_ns[[0, 10]].tolist() == [3_100_000, 6_200_000]
    calls = run.calls()
    assert [run.fs[code] for code in calls.f] == ["write", "read", "cas", "read"]
    assert [run.keys[code] for code in calls.key] == [7, 7, 8, 7]
    assert [run.values[code] for code in calls.argument] == [3, None, [3, 4], None]
    assert calls.outcome.tolist() == [INFO, OK, FAIL, INFO]
    assert calls.ret.tolist() == [FOREVER, 5, 7, FOREVER]
    assert [(start.f, end and end.index) for start, end in run.nemesis()] == [
        ("start-partition", 2),
        ("stop-partition", 9),
    ]
    (_, cut), (_, healed) = run.nemesis()
    assert cut is not None
    assert identity(cut.value) == identity(
        [Keyword("isolated"), {"n1": frozenset({"n2"}), "n2": frozenset({"n1", "n3"})}]
    )
    assert healed is not None
    assert identity(healed.value) == identity(Keyword("network-healed"))
    assert run.errors == {3: "timeout", 7: ["precondition", "3 ≠ nil"]}
    assert run.nodes == ["n3"]
    assert run.extras[10] == {"final?": True}
    assert run.extras[9]["clock-offsets"]["n1"] == Fraction(-1, 2)
    error = run.extras[7]["exception"]
    assert error == Tagged(
        "error",
        {
            Keyword("cause"): "no",
            Keyword("via"): [
                {
                    Keyword("type"): Symbol("java.lang.Exception"),
                    Keyword("at"): [Symbol("a.b$c"), Symbol("invoke"), "b.clj", 12],
                }
            ],
        },
    )


def test_elle_transactions() -> None:
    run = load_history(GOLDEN / "elle-transactions.json")
    assert run.index.tolist() == [1, 2, 3, 4]
    assert run.time_ns.tolist() == [-1] * 4
    assert run.fs == ["txn"]
    assert run.pair.tolist() == [3, 2, 1, 0]
    assert run[3].value == [["append", 253, 1], ["r", 255, []]]


def test_colons() -> None:
    run = load_history(GOLDEN / "colons.jsonl")
    assert [(op.process, str(op.type), op.f, op.value) for op in run] == [
        (0, "invoke", "add", 5),
        ("nemesis", "info", "start", None),
        (0, "ok", "add", 5),
        ("nemesis", "info", "start", "Cut off {n1 #{n2}}"),
        (0, "invoke", "read", None),
        (0, "ok", "read", [5]),
    ]
    assert run.pair.tolist() == [2, 3, 0, 1, 5, 4]


def test_our_own_first_version() -> None:
    path = GOLDEN / "splitbrain-v1.jsonl"
    run = load_history(path)
    assert run == history("""
        p0      invoke write x 1        node=n1 time=1us
        nemesis info   start-partition - {"id":1,"kind":"partition","args":{"n":2}} time=2us
        nemesis info   start-partition - {"id":1,"kind":"partition","args":{"n":2},"targets":["n1","n2"],"bit":true} time=2500ns
        p0      info   write x 1        node=n1 error=timeout time=3us
        p5      invoke cas   x [1,2]    node=n1 time=3500ns
        p5      fail   cas   x [1,2]    node=n1 error=[22,"precondition\\u0020failed"] time=4us
        nemesis info   heal  - _        time=5us
        nemesis info   heal  - {"healed":true,"evidence":"all probes arrive"} time=5500ns
        p5      invoke read  x _        node=n1 final=true time=6us
        p5      ok     read  x 1        node=n1 final=true time=7us
    """)  # fmt: skip
    assert b"".join(jsonl.write(run)) == path.read_bytes()


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.iterdir()))
def test_every_golden_file_survives_a_round_trip(tmp_path: Path, name: str) -> None:
    run = load_history(GOLDEN / name)
    save_history(run, tmp_path / "h.edn")
    assert load_history(tmp_path / "h.edn") == run
    if not name.endswith(".edn"):
        save_history(run, tmp_path / "h.jsonl")
        assert load_history(tmp_path / "h.jsonl") == run
