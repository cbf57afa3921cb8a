"""Which writes real time leaves possible as the source of a read; the definition for all histories stands in test_algorithms."""

from __future__ import annotations

import pytest

from checkers.linearizable.sources import Sources
from tests.builders import timeline
from tests.checkers.test_algorithms import keys_of


@pytest.mark.parametrize(
    ("drawing", "sources", "orphans"),
    [
        ("p0 |- write x 1 -| |- read x 1 -|", [0], []),
        ("p0 |- write x 1 -| |- read x _ -|", [], [1]),
        ("p0 |- write x 1 -----|\np1       |- read x _ -|", [], []),
        ("p0 |- write x 1 -| |- write x 2 -| |- read x 1 -|", [], [2]),
        ("p0 |- write x 1 -| |- write x 2 -| |- write x 3 -| |- read x 2 -|", [], [3]),
        ("p0 |- write x 1 -| |- write x 2 -----|\np1                             |- read x 1 -|", [0], []),
        ("p0 |- write x 1 ----| |- write x 1 -| |- read x 1 -|\np1     |- write x 2 -|", [2], []),
        ("p0 |- write x 1 -----| |- read x 1 -|\np1     |- write x 2 -|", [0], []),
        ("p0 |- write x 1 ->\np1            |- write x 2 -| |- read x 1 -|", [0], []),
        ("p0 |- read x 1 -| |- write x 1 -|", [], [0]),
    ],
    ids=[
        "the write before it",
        "null after one write",
        "null beside it",
        "written over",
        "the second written over",
        "not yet written over",
        "the second of two",
        "of two at once",
        "a crash may come late",
        "written later",
    ],
)
def test_the_sources_of_a_read(drawing: str, sources: list[int], orphans: list[int]) -> None:
    (ops,) = keys_of(timeline(drawing))
    found = Sources(ops)
    read = max(range(len(ops)), key=lambda i: int(ops.seen[i]))
    assert found.of(read) == sources
    assert found.orphans().tolist() == orphans


def test_what_replaced_it_began_last_of_what_had_ended() -> None:
    (ops,) = keys_of(
        timeline("""
            p0   |- write x 1 -----------|
            p1      |- write x 2 -|
            p2                             |- read x 1 -|
        """)
    )
    found = Sources(ops)
    assert [found.replacement(i) for i in range(3)] == [None, None, 1]
