"""The words of verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from checkers.wording import Narrator, count, listed, name, text
from harness.history import History
from harness.op import Op
from tests.builders import history


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, "null"),
        (7, "7"),
        ("a", '"a"'),
        (True, "true"),
        ([1, None], "[1, null]"),
        ("é", '"é"'),
        ("x" * 99, f'"{"x" * 59}…'),
    ],
)
def test_values_are_short_json(value: Any, wanted: str) -> None:
    assert text(value) == wanted


def test_keys_are_plain_words() -> None:
    assert [name(key) for key in ("x", 3, "a\nb", "", "k" * 61)] == ["x", "3", '"a\\nb"', '""', f'"{"k" * 59}…']


def test_counts_and_lists() -> None:
    assert [count(1, "key"), count(1204, "key"), count(2, "was", "were")] == ["1 key", "1,204 keys", "2 were"]
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


RUN = history("""\
p3 invoke read x _ node=n2 time=4.21s
p1 invoke write x 9 time=3.8s
p1 ok write x 9 time=3.9s
p3 ok read x 7 node=n2 time=4.25s
p2 invoke cas x [3,5] time=5s
p4 invoke acquire - _ time=5s
p4 ok acquire - _ time=6s
""")


def test_of_calls_that_take_no_time_milliseconds_are_told() -> None:
    say = Narrator(history("p0 invoke read x _ time=1s\np0 ok read x 7 time=1s").calls())
    assert say.span(0) == "(1.000 s – 1.000 s)"


def test_phrases() -> None:
    say = Narrator(RUN.calls())
    assert say.who(0) == "process 3 on n2"
    assert [say.what(row) for row in range(4)] == ["read of 7", "write of 9", "cas from 3 to 5", "acquire"]
    assert say.whose(1) == "process 1's write of 9"
    assert say.span(0) == "(4.21 s – 4.25 s)"
    assert say.span(2) == "(5.00 s – unknown)"
    assert (say.began(1), say.ended(1)) == ("at 3.80 s", "at 3.90 s")
    assert [say.key(row, "from") for row in (0, 3)] == [" from key x", ""]
    assert say.lines([0, 2]) == (0, 3, 4)


def test_times_have_as_many_digits_as_the_calls_need() -> None:
    quick = "p0 invoke read x _ time=1s\np0 ok read x 1 time=1000200000ns\n"
    assert Narrator(history(quick).calls()).span(0) == "(1.00000 s – 1.00020 s)"


def test_where_there_are_no_times_there_are_indices() -> None:
    op = Op(process=0, f="read")
    say = Narrator(History.of([op, op.ok(1)]).calls())
    assert say.span(0) == "(index 0 – 1)"
    assert say.ended(0) == "at index 1"
