"""EDN: what Clojure prints is read as it means, comes back as it was, and what is no EDN is named by line and column."""

from __future__ import annotations

import enum
import math
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.formats.edn import Char, EdnList, FrozenMap, Keyword, Symbol, Tagged, dumps
from harness.formats.edn_reader import EdnSyntaxError, loads, read_forms
from harness.interning import identity
from tests.examples import examples
from tests.harness.formats.strategies import edn_values, patient

READ: dict[str, Any] = {
    "nil": None,
    "true": True,
    "false": False,
    "0": 0,
    "-0": 0,
    "+5": 5,
    "-17": -17,
    "12345678901234567890123": 12345678901234567890123,
    "5N": 5,
    "0x1f": 31,
    "1.5": 1.5,
    "-1.5e-3": -0.0015,
    "1e3": 1000.0,
    "1.": 1.0,
    "1.50M": Decimal("1.50"),
    "2M": Decimal(2),
    "1/3": Fraction(1, 3),
    "-4/2": -2,
    "##Inf": math.inf,
    "##-Inf": -math.inf,
    '""': "",
    '"a b"': "a b",
    '"a\nb"': "a\nb",
    r'"\n\t\r\b\f\"\\"': '\n\t\r\b\f"\\',
    r'"\u00e9\ud83d\ude00\101\0"': "é😀A\x00",
    r"\a": Char("a"),
    r"\newline": Char("\n"),
    r"\u00e9": Char("é"),
    r"\o101": Char("A"),
    r"\(": Char("("),
    r"\\": Char("\\"),
    "[]": [],
    "[1 [2], 3]": [1, [2], 3],
    "(1 2)": EdnList([1, 2]),
    "{}": {},
    "{:a 1, :b nil}": {Keyword("a"): 1, Keyword("b"): None},
    "{1 {2 3}}": {1: {2: 3}},
    "{[1 (2)] 3}": {(1, (2,)): 3},
    "{{:a [1]} 3}": {FrozenMap({Keyword("a"): [1]}): 3},
    "#{}": frozenset(),
    "#{3 1 2}": frozenset({1, 2, 3}),
    "#{[1] {2 [3]} #{4}}": frozenset({(1,), FrozenMap({2: [3]}), frozenset({4})}),
    '#inst "2026-01-01"': Tagged("inst", "2026-01-01"),
    "#a.b/c [1]": Tagged("a.b/c", [1]),
    "#a #b 1": Tagged("a", Tagged("b", 1)),
    "#:db{:id 1, :_/x 2, :q/y 3, 4 5}": {Keyword("db/id"): 1, Keyword("x"): 2, Keyword("q/y"): 3, 4: 5},
    "#error {:cause nil}": Tagged("error", {Keyword("cause"): None}),
    "{#t [1] 2}": {Tagged("t", [1]): 2},
    "[1 #_2 3]": [1, 3],
    "[1 #_#_2 3]": [1],
    "[#_{:a #_b [1]} 4]": [4],
    "#tag #_ 1 2": Tagged("tag", 2),
    "; comment\n 1 ; another": 1,
    ",, 1 ,,": 1,
    "[1;2\n3]": [1, 3],
    '[1"a":b\\c[2](3)]': [1, "a", Keyword("b"), Char("c"), [2], [3]],
    "[a -> + - .x a/b ok? *e* <!>]": [Symbol(name) for name in ("a", "->", "+", "-", ".x", "a/b", "ok?", "*e*", "<!>")],
    "[:a :a/b :-> :1 :a.b-c?]": [Keyword(name) for name in ("a", "a/b", "->", "1", "a.b-c?")],
}


@pytest.mark.parametrize("text", READ)
def test_reading(text: str) -> None:
    value = loads(text)
    assert value == READ[text]
    assert identity(value) == identity(READ[text])


def test_kinds_are_kept() -> None:
    assert [type(value) for value in loads(r'[:a a "a" \a () [] {} #{} 1N 1M 1/2]')] == [
        Keyword,
        Symbol,
        str,
        Char,
        EdnList,
        list,
        dict,
        frozenset,
        int,
        Decimal,
        Fraction,
    ]
    assert math.isnan(loads("##NaN"))
    assert len(loads("#{#t ##NaN #t 1 #t [1] {:a ##NaN}}")) == 4


@patient
@given(edn_values())
def test_round_trip(value: Any) -> None:
    text = dumps(value)
    again = loads(text)
    assert identity(again) == identity(value)
    assert dumps(again) == text


@patient
@given(edn_values(), st.sampled_from([" ", ", ", "\n", " ;x\n", " #_[1 #{a}] "]))
def test_whitespace_comments_and_discards_change_nothing(value: Any, filler: str) -> None:
    text = f"{filler}[{filler}{dumps(value)}{filler}]{filler}"
    assert identity(loads(text)) == identity([value])


def test_what_is_written() -> None:
    value = {
        Keyword("a"): [None, True, 1, 1.5, 1e30, 'é\n"', "\u2028"],
        1: EdnList([Symbol("x"), Char("\n"), Char("a"), Char("\x00")]),
        "s": frozenset({10, 9, "b", Keyword("c")}),
        "t": (Tagged("inst", "z"), Decimal("1.50"), Fraction(1, 3), math.inf, -math.inf, math.nan),
    }
    assert dumps(value) == (
        r'{:a [nil true 1 1.5 1e+30 "é\n\"" "\u2028"], 1 (x \newline \a \u0000), "s" #{9 10 "b" :c}, '
        r'"t" [#inst "z" 1.50M 1/3 ##Inf ##-Inf ##NaN]}'
    )


class Colour(enum.StrEnum):
    RED = "red"


def test_enums_are_written_as_what_is_behind_them() -> None:
    assert dumps([Colour.RED]) == '["red"]'


@pytest.mark.parametrize("value", [object(), b"x", [bytearray()]])
def test_what_edn_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(HistoryError, match="cannot be written as EDN"):
        dumps(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(HistoryError, match="nested too deeply"):
        dumps(value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1\n  2", "line 1 column 1: this \\[ is never closed"),
        ("[1\n  (2", "line 2 column 3: this \\( is never closed"),
        ("[1\n  )]", "line 2 column 3: \\) cannot close the \\[ of line 1 column 1; \\] would"),
        ("#{1]", "line 1 column 4: \\] cannot close the #\\{ of line 1 column 1; \\} would"),
        ("1\n}", "line 2 column 1: } closes nothing"),
        ('[\n"abc', "line 2 column 1: this string is never closed"),
        (r'"\q"', "line 1 column 2: .* escape that EDN does not know: 'q'"),
        (r'"\ud800"', "line 1 column 2: .* escape"),
        (r'"\u12"', "line 1 column 2: .* escape"),
        ("[\\newlime]", r"line 1 column 3: \\newlime is no character"),
        ("[1 2x]", "line 1 column 4: '2x' is no number"),
        ("[007]", "line 1 column 2: '007' is no number"),
        ("007M", "'007M' is no number"),
        ("007.5", "'007.5' is no number"),
        ("[1.2.3]", "'1.2.3' is no number"),
        ("-1x", "'-1x' is no number"),
        ("٣", "'٣' is no number"),
        ("1e999", "'1e999' is out of range"),
        ("1/0", "'1/0' is no number"),
        ("9" * 5000, "'99999999999999999999' is out of range"),
        ("{:a}", "line 1 column 1: a map has a key without a value"),
        ("[{:a 1 :a 2}]", "line 1 column 2: a map repeats a key"),
        ("{1 :a true :b}", "repeats a key .*1, 1.0 and true count as one"),
        ('{:a 1 "a" 2}', "repeats a key"),
        ("#{1 1}", "line 1 column 1: a set repeats an element"),
        ("#{1 1.0}", "a set repeats an element"),
        ("[1 #_]", "line 1 column 6: a tag or #_ has no form between it and \\]"),
        ("[#foo]", "a tag or #_ has no form"),
        ("1 #_", "line 1 column 5: a tag or #_ has no form after it"),
        ("#foo", "line 1 column 5: a tag or #_ has no form after it"),
        (":", "a lone : is no keyword"),
        ("^{:a 1} [1]", "line 1 column 1: '\\^' begins nothing"),
        ('#"regex"', "'#' begins nothing"),
        ("#'var", "'#' begins nothing"),
        ("@x", "'@' begins nothing"),
        ("##Foo", "'#' begins nothing"),
        ("[" * 201 + "]" * 201, "line 1 column 201: collections are nested more than 200 deep"),
        ("[" * 100_000, "nested more than 200 deep"),
        ("", "there are 0 forms"),
        ("1 2", "there are 2 forms"),
    ],
)  # fmt: skip
def test_what_is_no_edn_is_named_by_line_and_column(text: str, sentence: str) -> None:
    with pytest.raises(EdnSyntaxError, match="^f.edn.*" + sentence):
        loads(text, "f.edn")


def test_two_hundred_deep_is_fine() -> None:
    value = loads("[" * 200 + "]" * 200)
    assert dumps(value) == "[" * 200 + "]" * 200


@patient
@given(st.text(st.sampled_from(list("[](){}#_\"\\;:, \n1a.-/^'u0NM")), max_size=12))
def test_no_text_breaks_the_reader(text: str) -> None:
    """It reads it or says why not; what it reads can be written and read again."""
    try:
        values = [value for _, value in read_forms(text, "f.edn")]
    except EdnSyntaxError:
        return
    for value in values:
        assert dumps(loads(dumps(value))) == dumps(value)


def test_offsets_are_where_forms_begin() -> None:
    assert list(read_forms(" 1 [2]\n#a {:b 3} #_4 x", "f")) == [
        (1, 1),
        (3, [2]),
        (10, Tagged("a", {Keyword("b"): 3})),
        (21, "x"),
    ]


@pytest.mark.parametrize("text", ["[1 [2] {3 4}]", "(1 [2] {3 4})", " ; c\n[1,[2],{3 4}] ; c", "1 [2] {3 4}"])
def test_unwrapping(text: str) -> None:
    assert [value for _, value in read_forms(text, "f", unwrap=True)] == [1, [2], {3: 4}]


@pytest.mark.parametrize("text", ["[1] 2", "[1] [2]", "[1] #_2", "[1] ]"])
def test_nothing_may_follow_the_vector_around_all_forms(text: str) -> None:
    with pytest.raises(EdnSyntaxError, match="line 1 column [56]: more follows after the vector"):
        list(read_forms(text, "f", unwrap=True))


def test_names_equal_their_text_whichever_file_they_came_from() -> None:
    assert Keyword("read") == "read"
    assert loads("{:a 1}")["a"] == 1
    assert repr(Keyword("a")) == ":a"
    assert Symbol("x") == "x"


def test_tagged_values_compare_deeply() -> None:
    assert Tagged("a", [1]) == Tagged("a", [1])
    assert Tagged("a", [1]) != Tagged("a", [True])
    assert Tagged("a", 1) != Tagged("b", 1)
    assert Tagged("a", 1) != 1
    assert len({Tagged("a", [1]), Tagged("a", [1])}) == 1
    assert repr(Tagged("a", [1])) == "#a [1]"


@patient
@given(edn_values())
def test_values_can_be_pickled(value: Any) -> None:
    assert identity(pickle.loads(pickle.dumps(value))) == identity(value)


ATOMS = st.sampled_from(
    [
        "0",
        "7",
        "12",
        "-5",
        "+5",
        "007",
        "1N",
        "1_0",
        "1.5",
        "1/2",
        "1e3",
        "0x1f",
        ":a",
        ":b",
        "a",
        "nil",
        "true",
        "false",
        ":é",
        "é",
        "٣",
        "²",
        "9223372036854775808",
        ":",
        "7x",
        "a/b",
        ":k#x",
    ]
)
GAPS = st.sampled_from([" ", ", ", ",", "\n", " ; no\n", "\t"])
FLAT_MAPS = st.lists(
    st.tuples(st.sampled_from([":a", ":b", ":c", "a", "1"]) | ATOMS, GAPS, ATOMS, GAPS), max_size=4
).map(lambda pairs: "{" + "".join(map("".join, pairs)) + "}")
FORMS = FLAT_MAPS | st.sampled_from(
    ["{:a [1 2]}", '{:a "x"}', "#_{:a 1}", "#tag {:a 1}", "{:a}", "{:a {:b 1}}", "}", "{", "x"]
)


def forms_or_error(text: str, *, unwrap: bool) -> object:
    found = []
    try:
        for offset, form in read_forms(text, "x", unwrap=unwrap):
            found.append((text.count("\n", 0, offset), identity(_plain_keys(form))))
    except HistoryError as error:
        return found, str(error)
    return found


def _plain_keys(form: object) -> object:
    """Names of fields may be keywords or their names."""
    return (
        {str(key) if type(key) is Keyword else key: value for key, value in form.items()}
        if type(form) is dict
        else form
    )


@examples(300)
@given(st.lists(st.tuples(FORMS, GAPS), max_size=8))
def test_maps_of_atoms_are_read_alike_at_once_and_token_by_token(parts: list[tuple[str, str]]) -> None:
    text = "{:a 1 :b 0}" + "".join(form + gap for form, gap in parts)
    assert forms_or_error(text, unwrap=True) == forms_or_error(text, unwrap=False)
