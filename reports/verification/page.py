"""A verification as one self-contained page: the verdict, the matrix, and for every claim what was run and found. No script at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from reports.html.shell import environment, policy, stylesheet
from reports.verification.rows import NAMES, SIGNS, canary, detect, expected, kinds, rate
from reports.wording import VERDICTS, began, duration, sentence

SEEDS_LISTED_MAX = 12
RUNS_LISTED_MAX = 200
# The same words of state as on the page of a run, so that colours mean the same.
CLASSES = {
    "holds": "valid",
    "violated as expected": "expected",
    "VIOLATED": "invalid",
    "unknown": "unknown",
    "": "untried",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A place of the matrix: its class, sign and word, in how many runs a violation was found, how soon, and where the smallest is."""

    kind: str
    look: str
    sign: str
    word: str
    rate: str
    detect: str
    seeds: str
    report: str
    repeat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A claim as the page shows it. ``report`` is where the page of its smallest telling run lies, seen from this page."""

    claim: Mapping[str, Any]
    look: str
    sign: str
    word: str
    expected: str
    rate: str
    detect: str
    cells: Sequence[Cell]
    report: str
    runs: Sequence[Mapping[str, str]]
    runs_more: int


def render(document: Mapping[str, Any]) -> str:
    """The whole page as one string of HTML."""
    style = stylesheet()
    verdict = document["verdict"] if document["verdict"] in VERDICTS else "unknown"
    columns = kinds(document)
    return (
        environment()
        .get_template("verification.html.j2")
        .render(
            csp=policy(style),
            style=Markup(style),  # noqa: S704 - a constant of this package
            title=sentence(document["title"]),
            verdict=verdict,
            verdict_words=VERDICTS[verdict],
            reason=sentence(document["reason"]),
            canary=canary(document),
            alive=document["canary"]["status"] == "VIOLATED",
            facts=_facts(document),
            repeat=sentence(document.get("repeat")),
            columns=columns,
            rows=[_row(claim, columns, document) for claim in document["claims"]],
            findings=[
                (NAMES.get(name, name), found) for name, found in (document.get("findings") or {}).items() if found
            ],
            retries=document.get("retries") or [],
            sentence=sentence,
        )
    )


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    runs = sum(claim["runs"] for claim in document["claims"])
    told = (
        ("claims", len(document["claims"])),
        ("runs", runs),
        ("profile", document["profile"]),
        ("seeds from", document["first_seed"]),
        ("planted bug", document.get("bug")),
        ("took", duration(round(document["wall_s"] * 1e9))),
        ("file", document["file"]),
        ("began", began(document["began"])),
        ("version", document["splitbrain"]),
    )
    return [(name, sentence(value)) for name, value in told if value is not None]


def _row(claim: Mapping[str, Any], columns: Sequence[str], document: Mapping[str, Any]) -> Row:
    sign, word = SIGNS[claim["status"]]
    cells = {sentence(kind): cell for kind, cell in claim["cells"].items()}
    return Row(
        claim=claim,
        look=CLASSES[claim["status"]],
        sign=sign,
        word=word,
        expected=expected(claim),
        rate=rate(claim),
        detect=detect(claim),
        cells=[_cell(column, cells.get(column), document) for column in columns],
        report=_link(claim.get("smallest"), document),
        runs=[_run(outcome) for outcome in claim["outcomes"][:RUNS_LISTED_MAX]],
        runs_more=max(0, len(claim["outcomes"]) - RUNS_LISTED_MAX),
    )


def _run(outcome: Mapping[str, Any]) -> dict[str, str]:
    found = ", ".join(outcome["findings"])
    after = outcome["detect_s"]
    return {
        "seed": f"{outcome['seed']} (known)" if outcome["known"] else str(outcome["seed"]),
        "verdict": sentence(outcome["verdict"]),
        "found": sentence(found or outcome["reason"]),
        "faults": sentence(", ".join(outcome["faults"])) or "none",
        "ops": f"{outcome['ops']:,}",
        "after": "" if after is None else f"{after:.1f} s",
    }


def _cell(kind: str, cell: Mapping[str, Any] | None, document: Mapping[str, Any]) -> Cell:
    told = cell if cell and cell["status"] else None
    sign, word = SIGNS[told["status"] if told else ""]
    smallest = (told or {}).get("smallest")
    return Cell(
        kind=kind,
        look=CLASSES[told["status"] if told else ""],
        sign=sign,
        word=word,
        rate=rate(told) if told else "",
        detect=detect(told) if told else "",
        seeds=_seeds(told["seeds"]) if told else "",
        report=_link(smallest, document),
        repeat=sentence((smallest or {}).get("repeat"), 1_000),
    )


def _seeds(seeds: Sequence[Any]) -> str:
    """The first few, and how many more."""
    more = len(seeds) - SEEDS_LISTED_MAX
    told = " ".join(sentence(seed) for seed in seeds[:SEEDS_LISTED_MAX])
    return f"{told} and {more} more" if more > 0 else told


def _link(smallest: Mapping[str, Any] | None, document: Mapping[str, Any]) -> str:
    """A relative path, quoted, so that it cannot be anything but a file beside the store."""
    if not smallest or not smallest.get("run"):
        return ""
    here = PurePath(document["store"], "verify", document["began"])
    return quote(PurePath(os.path.relpath(smallest["run"], here)).as_posix(), errors="replace") + "/report.html"
