"""A comparison of runs for people: one page, and a summary on a terminal. What a document holds may be anybody's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.html.shell import environment, policy, stylesheet
from reports.verification.rows import NAMES
from reports.wording import VERDICTS, count, sentence

# Figures are shown of so many sides; findings of all.
SIDES_MAX = 6
FINDINGS_LISTED_MAX = 200
# On a terminal: the figures that changed most.
CHANGES_MAX = 12
_STYLES = {"new": "bold red", "ongoing": "yellow", "rare": "yellow", "resolved": "green"}
_LOOKS = {"new": "invalid", "ongoing": "unknown", "rare": "unknown", "resolved": "valid"}

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A line of the table of findings: in which sides it was seen, now first."""

    state: str
    look: str
    name: str
    example: str
    seen: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table of figures or settings; ``change`` is from the last one to now."""

    name: str
    values: tuple[str, ...]
    change: str = ""


def render(document: Document) -> str:
    """The page as one string of HTML. No script at all."""
    style = stylesheet()
    sides = [_side(side) for side in document["sides"]]
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            csp=policy(style),
            style=Markup(style),  # noqa: S704 - a constant of this package
            sides=sides,
            shown=sides[:SIDES_MAX],
            reason=sentence(document["reason"]),
            new=len(document["findings"]["new"]),
            findings=_findings(document)[:FINDINGS_LISTED_MAX],
            more=max(0, len(document["seen"]) - FINDINGS_LISTED_MAX),
            meanings=NAMES,
            figures=figures(document),
            settings=[_setting(name, values) for name, values in document["settings"].items()],
        )
    )


def print_comparison(console: Console, document: Document, page: str) -> None:
    """The summary: verdicts, findings by their state, the figures that changed most, where the page lies."""
    now, last = document["sides"][0], document["sides"][1]
    for words, side in (("now", now), ("before", last)):
        line = Text.assemble((words.ljust(8), "dim"), f"{sentence(side['verdict'])}  {sentence(side['name'])}")
        console.print(line, highlight=False)
    console.print(Text(sentence(document["reason"])), highlight=False)
    for state, found in document["findings"].items():
        if found:
            console.print()
            console.print(Text(f"{count(len(found), 'finding')} {NAMES[state]}", style=_STYLES[state]))
            for name in found[:FINDINGS_LISTED_MAX]:
                example = sentence(document["examples"][name])
                console.print(Text(f"    {sentence(name)}: {example}"), highlight=False)
    changed = [row for row in figures(document) if row.change][:CHANGES_MAX]
    if changed:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("figure", overflow="fold")
        for name in ("now", "before", "change"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in changed:
            table.add_row(Text(row.name), Text(row.values[0]), Text(row.values[1]), Text(row.change))
        console.print()
        console.print(table)
    console.print()
    console.print(Text.assemble(("page".ljust(8), "dim"), sentence(page)), soft_wrap=True, highlight=False)


def figures(document: Document) -> list[Row]:
    """The figures, those first that changed most since the last one, as a share of the larger."""
    rows = [
        (
            _moved(values[0], values[1]),
            Row(name=_words(name), values=tuple(map(number, values)), change=change(*values[:2])),
        )
        for name, values in ((name, values[:SIDES_MAX]) for name, values in document["figures"].items())
    ]
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def number(value: Any) -> str:
    """A figure in at most six digits; a dash where there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def change(now: Any, last: Any) -> str:
    """From the last to now: in percent, or what appeared; nothing where nothing changed, or one of them is missing."""
    if not _moved(now, last):
        return ""
    return f"{100 * (now - last) / abs(last):+.3g} %" if last else f"{now - last:+,.6g}"


def _moved(now: Any, last: Any) -> float:
    if number(now) == "–" or number(last) == "–" or now == last:
        return 0.0
    return float(abs(now - last) / max(abs(now), abs(last)))


def _findings(document: Document) -> list[Finding]:
    states = {name: state for state, found in document["findings"].items() for name in found}
    order = {state: place for place, state in enumerate((*NAMES, "past"))}
    found = [
        Finding(
            state=states.get(name, "past"),
            look=_LOOKS.get(states.get(name, ""), "untried"),
            name=sentence(name),
            example=sentence(document["examples"][name]),
            seen=tuple(seen),
        )
        for name, seen in document["seen"].items()
    ]
    return sorted(found, key=lambda finding: (order[finding.state], finding.name))


def _side(side: Mapping[str, Any]) -> dict[str, str]:
    verdict = side["verdict"] if side["verdict"] in VERDICTS else "unknown"
    return {"name": sentence(side["name"], 80), "verdict": verdict, "reason": sentence(side["reason"])}


def _setting(name: str, values: Sequence[Any]) -> Row:
    return Row(name=_words(name), values=tuple(sentence(value, 120) or "–" for value in values[:SIDES_MAX]))


def _words(name: str) -> str:
    return sentence(name.replace("_", " "))
