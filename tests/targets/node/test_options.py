"""Options of nodes: converted to the types of their fields, and what cannot be is said with what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from targets.node.options import chosen


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    copies: int = 3
    wait_s: float = 0.5
    fenced: bool = True
    clock: str = "wall"
    colour: Colour = Colour.RED


def test_what_is_not_asked_for_is_as_usual_and_what_is_no_field_is_left_alone() -> None:
    assert chosen(Config, {"bug": "x"}) == Config()


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("copies", "5", 5),
        ("wait_s", 2, 2.0),
        ("wait_s", "0.25", 0.25),
        ("fenced", False, False),
        ("fenced", "False", False),
        ("clock", "monotonic", "monotonic"),
        ("colour", "blue", Colour.BLUE),
    ],
)
def test_an_option_has_the_type_of_its_field(name: str, given: Any, wanted: Any) -> None:
    value = getattr(chosen(Config, {name: given}), name)
    assert (value, type(value)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("copies", 2.5, "a whole number"),
        ("copies", True, "a whole number"),
        ("copies", "many", "a whole number"),
        ("copies", None, "a whole number"),
        ("wait_s", True, "a number"),
        ("wait_s", "soon", "a number"),
        ("fenced", 1, "true or false"),
        ("fenced", "yes", "true or false"),
        ("colour", "green", "one of red, blue"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(name: str, given: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match="option") as caught:
        chosen(Config, {name: given})
    assert str(caught.value) == f"option {name}={given!r} must be {wanted}"
