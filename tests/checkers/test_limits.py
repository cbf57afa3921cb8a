"""What is known of a key after another search of it."""

from __future__ import annotations

import pytest

from checkers.linearizable.limits import Found, further
from harness.verdict import Validity


def found(validity: Validity, explained: int, steps: int = 1) -> Found:
    return Found(validity=validity, steps=steps, explained=explained, completed=9)


@pytest.mark.parametrize(
    ("before", "now", "known"),
    [
        (None, found(Validity.UNKNOWN, 3), found(Validity.UNKNOWN, 3)),
        (found(Validity.UNKNOWN, 3), found(Validity.UNKNOWN, 5), found(Validity.UNKNOWN, 5)),
        (found(Validity.UNKNOWN, 5), found(Validity.UNKNOWN, 3, steps=7), found(Validity.UNKNOWN, 5, steps=7)),
        (found(Validity.UNKNOWN, 5), found(Validity.INVALID, 3), found(Validity.INVALID, 3)),
        (found(Validity.UNKNOWN, 5), found(Validity.VALID, 9), found(Validity.VALID, 9)),
    ],
    ids=["the first", "it came further", "it did not", "it has an answer", "and explains all"],
)
def test_an_answer_counts_and_else_the_longer_beginning(before: Found | None, now: Found, known: Found) -> None:
    assert further(before, now) == known
