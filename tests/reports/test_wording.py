"""Everything unseen becomes visible, everything long becomes short, and figures read as people write them."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.wording import began, count, duration, key_text, paragraph, printable, seconds, sentence, value_text

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# DerivedCoreProperties.txt, Default_Ignorable_Code_Point, as far as its category is none of the above.
IGNORABLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0" + "".join(
    chr(code) for first, last in ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for code in range(first, last + 1)
)


def test_a_directory_is_told_as_a_date() -> None:
    assert began("20260102T030405.678901Z") == "2026-01-02 03:04:05"
    for other in ("my run", "20260102T030405Z", "20260102T030405.6Z\n", "²0260102T030405.678901Z", "\x1b"):
        assert began(other) == sentence(other)


def test_every_unseen_character_of_unicode_is_escaped() -> None:
    unseen = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in UNSEEN]
    kept = [hex(ord(char)) for char in (*unseen, *IGNORABLE) if char in printable(char)]
    assert kept == []


@given(st.text())
def test_printable_text_has_nothing_unseen_and_can_be_encoded(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(char) in UNSEEN for char in shown)
    shown.encode("utf-8")


@given(st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters=IGNORABLE)))
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_long_text_says_how_long_it_was() -> None:
    assert printable("a" * 1_000_000, 5) == "aaaaa… (1,000,000 characters)"


def test_a_paragraph_keeps_its_lines_and_nothing_else_unseen() -> None:
    assert paragraph("{\n  \x1b\n}", 10) == "{\n  \\u001b\n}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (1, "1"),
        (1.0, "1.0"),
        (True, "true"),
        ("1", '"1"'),
        ([1, ["é", None]], '[1, ["é", null]]'),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        ("\u202e", '"\\u202e"'),
    ],
)
def test_values_are_shown_as_json(value: object, text: str) -> None:
    assert value_text(value) == text


def test_a_value_that_contains_itself_is_no_accident() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert "[" in value_text(loop)


def test_a_value_nested_beyond_all_bounds_is_said_to_be_so() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert value_text(deep) == "(a value too deeply nested to show)"


@pytest.mark.parametrize(
    ("key", "text"),
    [("x", "x"), ("user-1", "user-1"), ("1", '"1"'), (1, "1"), ("null", '"null"'), (None, "null"), ("a b", '"a b"')],
)
def test_a_key_goes_without_quotes_only_if_nothing_else_looks_like_it(key: object, text: str) -> None:
    assert key_text(key) == text


@pytest.mark.parametrize(("text", "shown"), [(None, ""), ("a", "a"), (3, "3"), (["a"], '["a"]'), ("a\nb", "a\\nb")])
def test_a_sentence_is_a_line_of_text(text: object, shown: str) -> None:
    assert sentence(text) == shown


@pytest.mark.parametrize(
    ("length_ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1.00 µs"),
        (12_345, "12.3 µs"),
        (999_400, "999 µs"),
        (999_700, "1.00 ms"),
        (4_123_456, "4.12 ms"),
        (99_960_000, "100 ms"),
        (1_204_000_000, "1.20 s"),
        (100_000_000_000, "100 s"),
        (150_000_000_000, "2.50 min"),
        (90_000_000_000_000, "25.0 h"),
    ],
)
def test_durations_have_three_digits_and_a_fitting_unit(length_ns: int, text: str) -> None:
    assert duration(length_ns) == text


@given(st.integers(0, 10**16))
def test_durations_never_show_a_thousand_of_a_smaller_unit(length_ns: int) -> None:
    number = duration(length_ns).split()[0].replace(",", "")
    assert float(number) < 1000 or duration(length_ns).endswith(" h")


def test_moments_and_counts() -> None:
    assert seconds(12_345_678_901) == "12.346 s"
    assert [count(1, "node"), count(2_000, "node"), count(0, "anomaly", "anomalies")] == [
        "1 node",
        "2,000 nodes",
        "0 anomalies",
    ]
