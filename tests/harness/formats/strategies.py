"""Hypothesis strategies for the values and ops that histories hold."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from harness.columns import TYPES
from harness.formats.edn import Char, EdnList, FrozenMap, Keyword, Symbol, Tagged
from harness.op import NEMESIS, Op, OpType

patient = settings(deadline=None)  # how long an example takes is no property of the code under test

# Few values of each kind, so that equal and nearly equal ones meet often.
_texts = st.sampled_from(
    ["", "a", "b", ":a", "é", "😀", '"', "\\", "\n", "\x00", "\x7f", "\u2028", "null", "1", "a b"]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
_numbers = st.sampled_from([0, 1, -1, 2, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30])
_floats = st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e16, 1e22, 5e-324, 0.1, 1.5]) | st.floats(
    allow_nan=False, allow_infinity=False
)
_scalars = st.none() | st.booleans() | _numbers | st.integers(-3, 3) | _floats | _texts


def json_values() -> st.SearchStrategy[Any]:
    """Everything that JSON holds."""
    return st.recursive(
        _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3), max_leaves=6
    )


_names = st.sampled_from(["a", "b", "a/b", "k-1", "x.y", "ok?", "->", "*"])
_edn_scalars = (
    _scalars
    | st.just(float("inf"))
    | _names.map(Keyword)
    | _names.map(Symbol)
    | st.sampled_from(list('a1é(\\"; \n\t\x00,')).map(Char)
    | st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-9, max_value=9)
    | st.just(Decimal("1E+3"))
    | st.sampled_from([Fraction(1, 3), Fraction(-22, 7)])
)


def _hashable(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=2).map(tuple)
        | st.frozensets(inner, max_size=2)
        | st.dictionaries(inner, inner, max_size=2).map(FrozenMap)
        | st.builds(Tagged, _names.filter(str.isalpha), inner)
    )


def edn_values() -> st.SearchStrategy[Any]:
    """Everything that EDN holds, NaN aside (which no test of equality can follow)."""
    keys = st.recursive(_edn_scalars, _hashable, max_leaves=3)
    return st.recursive(
        _edn_scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(EdnList)
            | st.frozensets(keys, max_size=3)
            | st.dictionaries(keys, inner, max_size=3)
            | st.builds(Tagged, st.sampled_from(["inst", "my/tag", "a.b.C"]), inner)
        ),
        max_leaves=6,
    )


@st.composite
def op_lists(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> list[Op]:
    """Ops that are a history: indices rise, processes keep the rules. Some are of the nemesis, some never complete."""
    keys = st.none() | st.sampled_from(["x", 1, True, 1.0, "y z"])
    stamped = draw(st.booleans())
    ops: list[Op] = []
    open_calls: dict[int, Op] = {}
    index, time_ns, fresh = draw(st.integers(0, 2)), 0, 0
    for _ in range(draw(st.integers(0, 8))):
        error = draw(st.none() | values.filter(lambda value: value is not None))
        extra = draw(st.dictionaries(st.sampled_from(["final", "bit", "end-process?", "odd name"]), values, max_size=2))
        stamp: dict[str, Any] = {"index": index, "time_ns": time_ns} if stamped else {}
        index, time_ns = index + draw(st.integers(1, 3)), time_ns + draw(st.integers(0, 10**10))
        choice = draw(st.integers(0, 3))
        if choice == 0:
            f = draw(st.sampled_from(["start-partition", "heal"]))
            op = Op(process=NEMESIS, type=OpType.INFO, f=f, value=draw(values), error=error, extra=extra, **stamp)
        elif choice == 1 and open_calls:
            process = draw(st.sampled_from(sorted(open_calls)))
            call = open_calls.pop(process)
            type_ = OpType(draw(st.sampled_from(TYPES[1:])))
            value = draw(values)
            op = Op(process=process, type=type_, f=call.f, key=call.key, value=value, error=error, extra=extra, **stamp)
        else:
            process, fresh = fresh, fresh + 1
            f = draw(st.sampled_from(["read", "write", "a b", "ünïcode"]))
            node = draw(st.none() | st.sampled_from(["n1", "n2"]))
            op = Op(process=process, f=f, key=draw(keys), value=draw(values), node=node, extra=extra, **stamp)
            open_calls[process] = op
        ops.append(op)
    return ops
