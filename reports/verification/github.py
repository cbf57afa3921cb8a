"""What a verification says to GitHub's actions: annotations at the claims' lines (workflow commands)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reports.verification.rows import canary, failed, where
from reports.wording import sentence

_COMMANDS = {"VIOLATED": "error", "unknown": "warning"}


def commands(document: Mapping[str, Any]) -> Iterator[str]:
    """A line per claim that is VIOLATED or unknown, and one for a canary that was not noticed."""
    for claim in failed(document):
        place = f"file={_property(document['file'])},line={max(1, claim['line'])},title={_property(where(claim))}"
        yield f"::{_COMMANDS[claim['status']]} {place}::{_data(claim['reason'])}"
    if document["canary"]["status"] != "VIOLATED":
        yield f"::warning title=canary::{_data(canary(document))}"


def _data(text: Any) -> str:
    """``sentence`` leaves no line break; a percent sign would begin an escape."""
    return sentence(text).replace("%", "%25")


def _property(text: Any) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
