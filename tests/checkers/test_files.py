"""Files: words by goldens; names against all orders; content against all orders of names; writes against all orders of writes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.files import names, namespace, regions, replicas
from checkers.files.check import make
from checkers.files.lives import Lives
from checkers.files.namespace import NAMES, namespace_calls
from checkers.files.records import LOST, STALE
from checkers.files.steps import Step, steps_of
from harness.errors import PlanError
from harness.files import ABSENT, APPEND, CREATE, DELETE, EXISTS, LIST, READ, RENAME, REPLICAS, STAT, WRITE
from harness.history import FAIL, FOREVER, History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity
from tests.builders import history
from tests.checkers.brute import linearizable
from tests.checkers.loose import stamped
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("files")
Roll = tuple[int, int]
ROLLS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9999)), max_size=18)
PATHS = ("f0", "f1", "f2")


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("files", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


class Disk:
    """Files as they are to be: what an operation does at one moment, and what it answers."""

    def __init__(self) -> None:
        self.files: dict[str, list[tuple[int, int]]] = {}

    def carry_out(self, op: Op) -> Op:
        files, path = self.files, op.key
        match op.f:
            case "list":
                return op.ok(sorted(files))
            case "create":
                if path in files:
                    return op.fail(EXISTS)
                files[path] = []
            case _ if path not in files:
                return op.fail(ABSENT)
            case "delete":
                del files[path]
            case "rename":
                if op.value in files:
                    return op.fail(EXISTS)
                files[op.value] = files.pop(path)
            case "stat":
                return op.ok({"records": len(files[path]), "replicas": 3})
            case "append":
                files[path].append((len(files[path]), op.value))
                return op.ok(len(files[path]) - 1)
            case "read":
                return op.ok([list(entry) for entry in files[path]])
        return op.ok(None)


def run_of(rolls: Sequence[Roll], fs: Sequence[str], lies: int) -> History:
    """Three seats that do things to files. What is done is done when it is asked for or when it is answered; some is never answered, of
    that some never done, some much later. Of a hundred answers so many ``lies`` are of an older time, or the contrary.
    """
    disk, ops, late = Disk(), list[Op](), list[Op]()
    numbers, busy, done = [0, 1, 2], dict[int, Op](), dict[int, Op]()
    for fresh, (seat, roll) in enumerate(rolls):
        if late and roll % 7 == 0:
            disk.carry_out(late.pop())
        if seat not in busy:
            f = fs[roll % len(fs)]
            path = PATHS[roll // 10 % len(PATHS)]
            value = (
                PATHS[(PATHS.index(path) + 1 + roll // 100 % 2) % 3] if f == RENAME else fresh if f == APPEND else None
            )
            busy[seat] = Op(process=numbers[seat], f=f, key=None if f == LIST else path, value=value)
            ops.append(busy[seat])
            if roll // 1000 % 2:
                done[seat] = disk.carry_out(busy[seat])
            continue
        call = busy.pop(seat)
        if roll % 6 == 0:
            numbers[seat] += 3
            ops.append(call.info("timeout"))
            if done.pop(seat, None) is None and roll % 4:
                late.append(call)
            continue
        answer = done.pop(seat, None) or disk.carry_out(call)
        ops.append(lied(call, answer, roll) if roll // 10 % 100 < lies else answer)
    return stamped(ops)


def lied(call: Op, answer: Op, roll: int) -> Op:
    if call.f == LIST:
        return call.ok(sorted(set(answer.value) ^ {PATHS[roll % 3]}))
    if call.f == READ and answer.type is OpType.OK:
        return call.ok(answer.value[: roll % 3])
    if answer.type is OpType.FAIL:
        good = {STAT: {"records": 0, "replicas": 3}, APPEND: 0, READ: []}
        return call.ok(good.get(call.f))
    return call.fail(EXISTS if call.f == CREATE else ABSENT)


def anomalies(run: History, **options: Any) -> set[str]:
    return {anomaly.name for anomaly in make(**options).check(run, Budget()).anomalies}


NAME_RULES = {names.LOST, names.RESURRECTED, names.PHANTOM}


@given(ROLLS, st.sampled_from([0, 20]))
def test_the_namespace_is_judged_as_by_all_orders(rolls: list[Roll], lies: int) -> None:
    run = run_of(rolls, (CREATE, DELETE, RENAME, LIST, STAT, CREATE), lies)
    calls, _ = namespace_calls(steps_of(run.calls()))
    found = anomalies(run) & {*NAME_RULES, namespace.NAME}
    assert bool(found) == (not linearizable(NAMES, calls)), found


@given(ROLLS)
def test_files_that_work_are_valid_or_show_nothing(rolls: list[Roll]) -> None:
    run = run_of(rolls, (CREATE, APPEND, READ, DELETE, RENAME, LIST, STAT, APPEND, READ, CREATE), lies=0)
    for by_name in (False, True):
        verdict = make(by_name=by_name).check(run, Budget())
        assert verdict.validity is not Validity.INVALID, verdict.reason


@pytest.mark.parametrize("seed", range(20))
def test_long_runs_of_files_that_work_are_not_invalid(seed: int) -> None:
    dice = random.Random(seed)
    rolls = [(dice.randrange(3), dice.randrange(10_000)) for _ in range(120)]
    run = run_of(rolls, (CREATE, APPEND, READ, DELETE, RENAME, LIST, STAT, RENAME, READ, CREATE), lies=0)
    for by_name in (False, True):
        verdict = make(by_name=by_name).check(run, Budget())
        assert verdict.validity is not Validity.INVALID, verdict.reason


@given(ROLLS)
def test_a_rule_for_one_name_is_never_wrong(rolls: list[Roll]) -> None:
    run = run_of(rolls, (CREATE, DELETE, RENAME, LIST, STAT, CREATE), lies=30)
    steps = steps_of(run.calls())
    for anomaly in make().check(run, Budget()).anomalies:
        path = next((path for path in PATHS if f"file {path}" in anomaly.reason), None)
        assert (path is not None) == (anomaly.name in NAME_RULES)
        if path is not None:
            # The same operations alone, and of lists what they say of this name, have no order either.
            looker = max(anomaly.ops)
            calls = [
                call
                for call in namespace_calls([step for step in steps if step.call <= looker])[0]
                if call.f in ("create", "delete", "rename") or call.argument == path or call.f == LIST
            ]
            assert not linearizable(NAMES, calls)


def certain_pairs(steps: Sequence[Step]) -> set[tuple[int, int]] | None:
    """(append, read) by rows: in every legal order the read is of the file that had the record by then. None if there is no legal order."""
    pairs: list[set[tuple[int, int]]] = []
    for order in legal_orders([step for step in steps if step.f != APPEND or step.outcome != FAIL]):
        disk, found = Disk(), set()
        for step in order:
            if step.f == READ:
                found |= {(row, step.row) for _, row in disk.files.get(step.path, [])}
            elif step.f == APPEND:
                disk.files[step.path].append((0, step.row))
            else:
                disk.carry_out(Op(process=0, f=step.f, key=step.path or None, value=step.argument))
        pairs.append(found)
    return set.intersection(*pairs) if pairs else None


def legal_orders(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Every order in which each answer is what ``Disk`` would have given; what is of unknown outcome stands anywhere, or nowhere."""
    yield from _orders(frozenset(step for step in steps if step.happened or step.answer), [], steps)


def _orders(rest: frozenset[Step], done: list[Step], steps: Sequence[Step]) -> Iterator[list[Step]]:
    if all(step.ret == FOREVER for step in rest):
        yield list(done)

        return
    for step in sorted(rest, key=lambda one: one.row):
        if any(other.ret < step.call for other in rest):
            continue
        disk = Disk()
        for before in done:
            disk.carry_out(Op(process=0, f=before.f, key=before.path or None, value=before.argument))
        answer = disk.carry_out(Op(process=0, f=step.f, key=step.path or None, value=step.argument))
        if step.ret == FOREVER and answer.type is not OpType.OK:
            continue  # it may as well not have happened
        right = step.ok == (answer.type is OpType.OK) and (step.ok or step.answer == answer.error)
        right = right and (step.f != LIST or frozenset(answer.value) == step.result)
        if step.ret == FOREVER or right:
            yield from _orders(rest - {step}, [*done, step], steps)


def due_pairs(steps: Sequence[Step], *, by_name: bool) -> set[tuple[int, int]]:
    """(append, read) by rows that the checker holds for certain."""
    lives = Lives(steps, by_name=by_name)
    return {
        (step.row, read.row)
        for step in steps
        if step.f == APPEND and step.ok
        for stay in lives.stays(step)
        for read in steps
        if read.f == READ and read.ok and read.path == stay.path and stay.since < read.call and read.ret < stay.until
    }


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9999)), max_size=14))
def test_whose_records_a_read_must_have_is_certain_in_all_orders(rolls: list[Roll]) -> None:
    fs = (CREATE, APPEND, READ, RENAME, CREATE, READ, APPEND, DELETE)
    steps = steps_of(run_of(rolls, fs, lies=0).calls())
    certain = certain_pairs(steps)
    strict, lenient = due_pairs(steps, by_name=True), due_pairs(steps, by_name=False)
    assert lenient <= strict
    assert certain is None or strict <= certain
    if not any(step.f in (DELETE, RENAME) and step.happened for step in steps):
        assert lenient == {
            (a.row, r.row)
            for a in steps
            for r in steps
            if a.f == APPEND and r.f == READ and a.ok and r.ok and a.path == r.path and a.ret < r.call
        }


@given(ROLLS)
def test_lost_and_stale_records_are_those_of_the_definition(rolls: list[Roll]) -> None:
    run = run_of([(0, 1000), (0, 1), *rolls], (APPEND, READ, APPEND, READ, READ), lies=40)
    run = with_file(run)
    steps = steps_of(run.calls())
    wanted = set()
    for row, reader in due_pairs(steps, by_name=False):
        record = steps[row].argument
        if all(record != known for _, known in steps[reader].result):
            seen = [s.ret for s in steps if s.f == READ and s.ok and any(record == known for _, known in s.result)]
            last = max(
                steps[r].call
                for a, r in due_pairs(steps, by_name=False)
                if a == row and all(record != known for _, known in steps[r].result)
            )
            wanted.add(LOST if last > max(seen, default=-1) else STALE)
    assert anomalies(run) & {LOST, STALE} == wanted


def with_file(run: History) -> History:
    """The same operations, all of one file, without those that failed since there was none."""
    gone = {op.index for op in run if op.type is OpType.FAIL}
    gone |= {int(run.index[run.pair[index]]) for index in gone}
    return stamped(
        Op(process=op.process, type=op.type, f=op.f, key="f0", value=op.value, error=op.error)
        for op in run
        if op.index not in gone
    )


WRITES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(0, 9), st.integers(0, 9), st.booleans()),
    min_size=1,
    max_size=5,
)


@given(WRITES, st.lists(st.integers(-1, 4), min_size=8, max_size=8))
def test_what_is_left_of_writes_is_judged_as_by_all_orders(
    drawn: list[tuple[int, int, int, int, bool]], shown: list[int]
) -> None:
    run, spans = written(drawn, shown)
    found = anomalies(run)
    assert bool(found & {regions.LOST, regions.UNDEFINED}) == (not some_order_leaves(spans, shown_of(run)))
    assert anomalies(run, undefined=True) == found - {regions.UNDEFINED}


Span = tuple[int, int, int, int, bool]  # offset, end, from, to, whether it was acknowledged


def written(drawn: list[tuple[int, int, int, int, bool]], *shown: list[int]) -> tuple[History, dict[int, Span]]:
    """Writes that begin and end at these times, and a final read that shows of each byte the write of that number, if it covers it; of
    several ``shown``, a final look at as many replicas.
    """
    events: list[tuple[int, int, Op]] = []
    spans = {}
    for record, (offset, length, begin, lasts, acknowledged) in enumerate(drawn):
        call = Op(process=record, f=WRITE, key="f0", value=[offset, record, length])
        events += [
            (begin, record, call),
            (begin + lasts, 10 + record, call.ok(None) if acknowledged else call.info("timeout")),
        ]
        spans[record] = (offset, offset + length, acknowledged)
    ops = [op for _, _, op in sorted(events, key=lambda event: event[:2])]
    lines = {op.process: [at for at, line in enumerate(ops) if line.process == op.process] for op in ops}
    contents = [content_of(each, spans) for each in shown]
    look = Op(process=99, f=READ if len(shown) == 1 else REPLICAS, key="f0", extra={"final": True})
    value = contents[0] if len(shown) == 1 else {f"n{at}": content for at, content in enumerate(contents)}
    run = stamped([*ops, look, look.ok(value)])
    return run, {
        record: (start, end, lines[record][0], lines[record][1] if ok else FOREVER, ok)
        for record, (start, end, ok) in spans.items()
    }


def content_of(shown: list[int], spans: Mapping[int, tuple[int, int, bool]]) -> list[list[int]]:
    content: list[list[int]] = []
    for byte, record in enumerate(shown):
        fits = record in spans and spans[record][0] <= byte < spans[record][1]
        whole = [entry for entry in content if entry[1] == record]
        goes_on = bool(content) and content[-1][1] == record
        if fits and not (goes_on and whole):
            content.append([byte, record])
    return content


def shown_of(run: History) -> dict[int, int]:
    """What each byte is in the final read."""
    return bytes_of(run, run[len(run) - 1].value)


def bytes_of(run: History, content: list[list[int]]) -> dict[int, int]:
    """What each byte is, as the vocabulary says: up to the next entry, or to the end of what was written."""
    ends = {op.value[1]: op.value[0] + op.value[2] for op in run if op.f == WRITE and op.type == "invoke"}
    found = {}
    for (offset, record), until in zip(content, [*(offset for offset, _ in content), None][1:], strict=True):
        found |= dict.fromkeys(range(offset, ends[record] if until is None else min(until, ends[record])), record)
    return found


SHOWN = st.lists(st.integers(-1, 4), min_size=8, max_size=8)


@given(WRITES, SHOWN, SHOWN, st.none() | SHOWN)
def test_what_replicas_hold_is_judged_as_byte_by_byte(
    drawn: list[tuple[int, int, int, int, bool]], one: list[int], other: list[int], third: list[int] | None
) -> None:
    """Where an acknowledged write had to leave something, two replicas show the same one, or what may be anything there."""
    run, spans = written(drawn, one, other, *([] if third is None else [third]))
    held = [bytes_of(run, content) for content in run[len(run) - 1].value.values()]
    due = {byte for start, end, _, _, acknowledged in spans.values() if acknowledged for byte in range(start, end)}
    differ = False
    for byte in due:
        shown = [each.get(byte) for each in held]
        certain = {record for record in shown if record is None or spans[record][4]}
        differ = differ or len(certain) > 1
    assert (replicas.DIFFER in anomalies(run)) == differ


# Of each record: whether its append was acknowledged; of each replica, and of each record: whether it holds it, and how much too far on.
APPENDS = st.lists(st.booleans(), min_size=1, max_size=4)
HELD = st.lists(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0, 0, 1])), min_size=4, max_size=4), max_size=3)


@given(APPENDS, HELD, HELD, st.booleans(), st.integers(1, 3), st.booleans())
def test_replicas_of_appended_records_are_those_of_the_definition(
    appends: list[bool], before: Any, after: Any, known: bool, replication: int, at_least_once: bool
) -> None:
    """The last look counts, of the final ones where some are final."""
    ops: list[Op] = []
    for record, acknowledged in enumerate(appends):
        call = Op(process=record, f=APPEND, key="f0", value=record)
        ops += [call, call.ok(10 * record) if acknowledged else call.info("timeout")]
    looks = []
    for final, drawn in ((known, before), (False, after)):
        looks.append(
            {
                f"n{node}": [
                    [10 * record + far, record] for record, (there, far) in enumerate(each[: len(appends)]) if there
                ]
                for node, each in enumerate(drawn)
            }
        )
        look = Op(process=9, f=REPLICAS, key="f0", extra={"final": True} if final else {})
        ops += [look, look.ok(looks[-1])]
    held = looks[0] if known else looks[1]
    found = anomalies(stamped(ops), replication=replication, at_least_once=at_least_once)
    assert (replicas.UNDER in found) == (len(held) < replication)
    places = [[10 * record, record] for record, acknowledged in enumerate(appends) if acknowledged]
    having = [sum(place in content for content in held.values()) for place in places]
    torn = any(0 < many < len(held) for many in having)
    alike = len({str(content) for content in held.values()}) <= 1
    whole = all(many == len(held) for many in having)
    assert (replicas.DIFFER in found) == (torn or (whole and not alike and not at_least_once))


def some_order_leaves(spans: dict[int, Span], shown: dict[int, int]) -> bool:
    """Whether some order of the acknowledged writes, each whole, leaves these bytes; the others may be on top of any of their bytes."""
    certain = [record for record, span in spans.items() if span[4]]
    for order in permutations(certain):
        if any(spans[b][3] < spans[a][2] for at, a in enumerate(order) for b in order[at + 1 :]):
            continue
        left = {byte: record for record in order for byte in range(*spans[record][:2])}
        if all(
            (byte in shown and not spans[shown[byte]][4]) or shown.get(byte) == left.get(byte)
            for byte in {*left, *shown}
        ):
            return True
    return False


def test_figures_and_options() -> None:
    run = history(
        """
        p0 invoke append f0 1
        p0 ok append f0 10
        p0 invoke append f0 2
        p0 ok append f0 20
        p1 invoke read f0 _
        p1 ok read f0 [[0, 1], [10, 1], [20, 2]]
        """
    )
    stats = make(at_least_once=True).check(run, Budget()).stats
    assert (stats["duplicate_share"], stats["judged_records"], stats["anomalies"]) == (0.5, 2, {"duplicate-record": 1})
    with pytest.raises(PlanError, match="at least 1"):
        make(replication=0)


def test_the_time_with_too_few_replicas_is_the_longest_of_all_files() -> None:
    looks = [("f0", 3, 1), ("f0", 2, 2), ("f1", 1, 3), ("f0", 1, 4), ("f0", 3, 9), ("f1", 2, 10)]
    lines = [
        "p0 invoke create f0 _ time=0s",
        "p0 ok create f0 _ time=0s",
        "p0 invoke create f1 _ time=0s",
        "p0 ok create f1 _ time=0s",
    ]
    for path, many, at_s in looks:
        lines += [
            f"p0 invoke stat {path} _ time={at_s}s",
            f'p0 ok stat {path} {{"records": null, "replicas": {many}}} time={at_s}s',
        ]
    run = history("\n".join(lines))
    assert make(replication=3).check(run, Budget()).stats["under_replicated_s"] == 7.0
    assert make(replication=2).check(run, Budget()).stats["under_replicated_s"] == 7.0
    assert make(replication=1).check(run, Budget()).stats["under_replicated_s"] == 0.0


def test_a_namespace_that_the_budget_does_not_decide_is_unknown() -> None:
    run = run_of(
        [(seat, 1000 * at + 13 * at) for at in range(9) for seat in range(3)], (CREATE, DELETE, RENAME, LIST, STAT), 0
    )
    verdict = make().check(run, Budget(steps_max=1))
    assert verdict.validity is Validity.UNKNOWN
    assert "undecided" in verdict.reason
