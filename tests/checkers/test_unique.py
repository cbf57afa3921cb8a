"""Registers to which every value is written once: what becomes of each and who shows it, alone or beside many others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from checkers.kernels.engine import Plain
from checkers.linearizable import layers, register_search, unique
from checkers.linearizable.encode import CAS, NOTHING, RegisterOps, encode
from checkers.linearizable.layout import prepare
from harness.history import History
from tests.builders import timeline
from tests.checkers.runs import register_run, rolls
from tests.checkers.test_algorithms import AMPLE, FORM, keys_of


def examined(history: History) -> tuple[int, int, int]:
    """The status of the last register, and who shows it: blocks by the writers of their first clusters."""
    assert FORM is not None
    found_of = unique.examine(encode(history.calls(), FORM))
    one, writer = found_of.registers, found_of.clusters.writer
    k = len(one.status) - 1
    shown = one.a[k], one.b[k]
    if one.status[k] == unique.CONFLICT:
        shown = writer[shown[0]], writer[shown[1]]
    return one.status[k], *shown


NONE = unique.NONE


@pytest.mark.parametrize(
    ("drawing", "wanted"),
    [
        ("p0 |- write x 1 -| |- read x 1 -|", (unique.OPEN, NONE, NONE)),
        ("p0 |- write x 1 -| |- write x 1 -|", (unique.NOT_UNIQUE, NONE, NONE)),
        ("p0 |- write x null -|", (unique.NOT_UNIQUE, NONE, NONE)),
        ("p0 |- write x 1 -| |- read x 2 -|", (unique.PHANTOM, 1, NONE)),
        ("p0 |- read x 1 -| |- write x 1 -|", (unique.FUTURE, 0, 1)),
        ("p0 |- read x 1 --|\np1           |- write x 1 -|", (unique.OPEN, NONE, NONE)),
        ("p0 |- cas x [null,1] -| |- cas x [null,2] -|", (unique.TWO_CAS, 1, 0)),
        ("p0 |- write x 1 -| |- cas x [1,2] -| |- read x 1 -|", (unique.DISORDER, 1, 2)),
        ("p0 |- cas x [1,2] ------|\np1  |- cas x [2,1] -------|", (unique.CYCLE, 1, NONE)),
        ("p0 |- write x 1 -| |- write x 2 -| |- read x 1 -|", (unique.CONFLICT, 0, 1)),
        ("p0 |- write x 1 -| |- cas x [1,2] -| |- write x 3 -| |- read x 2 -|", (unique.CONFLICT, 0, 2)),
        ("p0 |- cas x [null,1] -| |- write x 2 -| |- read x 1 -|", (unique.CONFLICT, NONE, 1)),
        ("p0 |- write x 1 -| |- read x null -|", (unique.CONFLICT, NONE, 0)),
        ("p0 |- write x 1 -| |- read x 1 -| |- write x 2 -| |- read x 2 -|", (unique.OPEN, NONE, NONE)),
        ("p0 |- write x 1 ->\np1 |- read x 1 -| |- read x null -|", (unique.CONFLICT, NONE, 0)),
        ("p0 |- write x 1 ->\np1    |- cas x [1,2] ->\np2      |- read x 2 -| |- read x 1 -|", (unique.DISORDER, 2, 3)),
        (
            "p0 |- write x 1 ->\np1    |- cas x [1,2] ->\np2      |- read x 1 -| |- read x 2 -|",
            (unique.OPEN, NONE, NONE),
        ),
    ],
)
def test_what_becomes_of_a_register_and_who_shows_it(drawing: str, wanted: tuple[int, int, int]) -> None:
    assert examined(timeline(drawing)) == wanted


def statuses(ops: RegisterOps) -> list[tuple[int, int, int]]:
    """Of every register: what became of it, and, unless that is a conflict of blocks, who shows it."""
    one = unique.examine(ops).registers
    rows = [(one.status[k], one.a[k], one.b[k]) for k in range(ops.keys)]
    return [(row[0], NONE, NONE) if row[0] == unique.CONFLICT else row for row in rows]


def many_registers(keys: int, seed: int) -> RegisterOps:
    """Of each the few operations of a run of its own, with values that no other has; all runs at the same time."""
    runs = [keys_of(register_run(rolls(30, seed + k)))[0] for k in range(keys)]
    size = max(int(one.codes) for one in runs)
    parts = []
    for k, one in enumerate(runs):
        seen, made = one.seen + k * size, one.made + k * size
        for codes, moved_codes in ((one.seen, seen), (one.made, made)):
            moved_codes[codes == one.initial] = keys * size
            moved_codes[codes == NOTHING] = NOTHING
        ret = one.ret.copy()
        ret[one.certain] = ret[one.certain] * keys + k
        parts.append((one.kind, seen, made, one.call * keys + k, ret, np.full(len(one), k)))
    kind, seen, made, call, ret, key = map(np.concatenate, zip(*parts, strict=True))
    order = np.argsort(call)
    columns = {"kind": kind, "seen": seen, "made": made, "call": call, "ret": ret, "key": key}
    return RegisterOps(
        **{name: column[order] for name, column in columns.items()},
        row=np.arange(len(kind)),
        keys=keys,
        codes=keys * size + 1,
        initial=keys * size,
    )


@pytest.mark.parametrize("seed", range(4))
def test_many_registers_at_once_are_judged_each_as_by_itself(seed: int) -> None:
    """Few of their many values occur with a key; and of one register alone positions are far apart."""
    keys = 24
    ops = many_registers(keys, 100 * seed)
    assert keys * ops.codes > 8 * len(ops) + 64
    alone = []
    for k in range(keys):
        rows = np.flatnonzero(ops.key == k)
        for part in (ops.register(rows), replace(ops.register(rows), codes=ops.codes + 2 * k)):
            ((status, *shown),) = statuses(part)
        alone.append((status, *(int(rows[one]) if one != NONE else NONE for one in shown)))
    assert statuses(ops) == alone
    assert len({status for status, _, _ in alone}) >= 3


def test_many_registers_of_which_none_was_read_or_written_plainly() -> None:
    """By cas alone, of which each has seen a value and made one."""
    keys = 40
    row = np.arange(2 * keys)
    ops = RegisterOps(
        kind=np.full(2 * keys, CAS),
        seen=np.where(row % 4 == 3, row, 2 * keys + 1),  # of each other register, both saw the initial value
        made=row + 1,
        call=2 * row,
        ret=2 * row + 1,
        key=row // 2,
        row=row,
        keys=keys,
        codes=2 * keys + 2,
        initial=2 * keys + 1,
    )
    both = [(unique.TWO_CAS, 2 * k + 1, 2 * k) if k % 2 == 0 else (unique.OPEN, NONE, NONE) for k in range(keys)]
    assert statuses(ops) == both


def test_positions_may_be_as_far_apart_as_they_like() -> None:
    for seed in range(12):
        (ops,) = keys_of(register_run(rolls(40, seed)))
        ret = ops.ret.copy()
        ret[ops.certain] = ret[ops.certain] * 1000 + 7
        apart = replace(ops, call=ops.call * 1000 + 7, ret=ret)
        assert statuses(apart) == statuses(ops)
        for search in (register_search.search, layers.search):
            assert search(prepare(apart), AMPLE, Plain()) == search(prepare(ops), AMPLE, Plain())
