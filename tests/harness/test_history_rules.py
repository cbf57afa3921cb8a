"""The rules of a history: what breaks them is refused at the right line, and what keeps them is paired as Jepsen does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.history import NO_KEY, History, Source
from harness.op import Op, OpType
from tests.builders import history, ops
from tests.harness.formats.strategies import patient

BROKEN = {
    "two operations at once": (
        """
        p0 invoke write x 1
        p1 invoke write x 1
        p0 invoke read  x _
        """,
        "line 3: process 0 invokes 'read' while its 'write' of line 1 is open; .* needs an ok, fail or info line first",
    ),
    "a completion first": (
        "p0 ok read x 1",
        "line 1: process 0 completes 'read' without an invocation; its invoke line must come before",
    ),
    "two completions": (
        """
        p0 invoke write x 1
        p0 ok     write x 1
        p0 ok     write x 1
        """,
        r"line 3: process 0 completes 'write' without an invocation \(it has completed 'write' on line 2\)",
    ),
    "another f": (
        """
        p0 invoke write x 1
        p0 ok     read  x 1
        """,
        "line 2: process 0 completes 'read' but the f differs from its open 'write' of line 1",
    ),
    "another key": (
        """
        p0 invoke write x 1
        p0 ok     write y 1
        """,
        "line 2: process 0 completes 'write' but the key differs",
    ),
    "a key that Python holds equal": (
        """
        p0 invoke write 1 1
        p0 ok     write true 1
        """,
        "line 2: .* the key differs",
    ),
    "a process goes on after info": (
        """
        p0 invoke write x 1
        p0 info   write x 1
        p0 invoke read  x _
        """,
        "line 3: process 0 is used again after its 'write' ended info on line 2; .* under a new process number",
    ),
    "a completion after info": (
        """
        p0 invoke write x 1
        p0 info   write x 1
        p0 ok     write x 1
        """,
        "line 3: process 0 is used again after its 'write' ended info on line 2",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_a_rule_is_refused_with_line_and_reason(name: str) -> None:
    text, sentence = BROKEN[name]
    with pytest.raises(HistoryError, match="^history " + sentence):
        history(text)


def test_the_first_broken_line_is_named() -> None:
    with pytest.raises(HistoryError, match="line 2: process 1"):
        history("""
            p0 invoke write x 1
            p1 ok     read  x 1
            p0 ok     read  x 1
        """)


def test_messages_name_the_file_and_its_lines() -> None:
    given = ops("""
        p0 invoke write x 1
        p0 ok     read  x 1
    """)
    with pytest.raises(HistoryError, match=r"^h\.jsonl line 9: .* of line 7"):
        History.of(given, source=Source("h.jsonl", [7, 9]))
    with pytest.raises(HistoryError, match=r"^h\.json line 1, op 1: "):
        History.of(given, source=Source("h.json", [1, 1]))


def test_a_completion_need_not_repeat_the_key() -> None:
    run = history("""
        p0 invoke write x 1
        p0 ok     write - 1
    """)
    assert run.pair.tolist() == [1, 0]
    assert run.keys[run.calls().key[0]] == "x"


@pytest.mark.parametrize(
    ("op", "sentence"),
    [
        (Op(f="r", process="p1"), "line 1: process is 'p1'; a client is a whole number from 0"),
        (Op(f="r", process=-1), "line 1: process is -1"),
        (Op(f="r", process=True), "line 1: process is True"),
        (Op(f="r", process=0, type="okay"), "line 1: type is 'okay'; it must be one of invoke, ok, fail, info"),  # type: ignore[arg-type]  # what the world may bring
        (Op(f="r", process=0, value=float("nan")), "line 1: .* NaN"),
        (Op(f="r", process=0, value=[{1: float("nan")}]), "line 1: .* NaN"),
        (Op(f="r", process=0, value=bytearray()), "line 1: a bytearray value cannot stand in a history"),
        (Op(f="r", process=0, index=1 << 63), "line 1: index, time and process must be whole numbers"),
        (Op(f="r", process=0, time_ns=1.5), "line 1: index, time and process must be whole numbers"),  # type: ignore[arg-type]
    ],
)
def test_ops_that_are_none_are_refused(op: Op, sentence: str) -> None:
    with pytest.raises(HistoryError, match=sentence):
        History.of([op])


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(HistoryError, match="nested too deeply"):
        History.of([Op(f="r", process=0, value=value)])


Line = tuple[int, OpType, str, str | None]


def naive_pairs(lines: list[Line]) -> list[int] | int:
    """The dumb twin: the pairs, or the first row that breaks a rule."""
    pairs = [NO_KEY] * len(lines)
    open_rows: dict[int, int] = {}
    retired: set[int] = set()
    for row, (process, type_, f, key) in enumerate(lines):
        if process in retired:
            return row
        if type_ is OpType.INVOKE:
            if process in open_rows:
                return row
            open_rows[process] = row
            continue
        if process not in open_rows:
            return row
        call = open_rows.pop(process)
        if lines[call][2] != f or (key is not None and lines[call][3] != key):
            return row
        pairs[call], pairs[row] = row, call
        if type_ is OpType.INFO:
            retired.add(process)
    return pairs


@st.composite
def nearly_right(draw: st.DrawFn) -> list[Line]:
    """Lines that mostly keep the rules, so that long ones are seen, with an error here and there."""
    lines: list[Line] = []
    open_calls: dict[int, tuple[str, str | None]] = {}
    fresh = 3
    threads = [0, 1, 2]
    for _ in range(draw(st.integers(0, 14))):
        thread = draw(st.integers(0, 2))
        process = threads[thread]
        wild = draw(st.integers(0, 11)) == 0
        if wild:
            lines.append(
                (
                    process,
                    draw(st.sampled_from(OpType)),
                    draw(st.sampled_from("rw")),
                    draw(st.sampled_from([None, "x"])),
                )
            )
        elif process in open_calls:
            f, key = open_calls.pop(process)
            type_ = draw(st.sampled_from([OpType.OK, OpType.FAIL, OpType.INFO]))
            lines.append((process, type_, f, key))
            if type_ is OpType.INFO:
                threads[thread], fresh = fresh, fresh + 1
        else:
            open_calls[process] = (draw(st.sampled_from("rw")), draw(st.sampled_from([None, "x", "y"])))
            lines.append((process, OpType.INVOKE, *open_calls[process]))
    return lines


@patient
@given(nearly_right())
def test_pairing_agrees_with_its_dumb_twin(lines: list[Line]) -> None:
    expected = naive_pairs(lines)
    made = [Op(process=process, type=type_, f=f, key=key) for process, type_, f, key in lines]
    if isinstance(expected, int):
        with pytest.raises(HistoryError, match=f"^history line {expected + 1}:"):
            History.of(made)
    else:
        assert History.of(made).pair.tolist() == expected
