"""The index of a store as one page: every run and every verification, newest first, to be searched and filtered. Works from a file, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from reports.html.shell import ASSETS, environment, policy, stylesheet
from reports.wording import VERDICTS, began, sentence

NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the index. ``path`` is the page's place below the store, in parts; empty if there is none."""

    kind: str  # "run" or "verification"
    at: str  # its directory's name: when it began, UTC
    began: str  # the same for people
    verdict: str
    what: str
    cluster: str
    seed: str
    reason: str
    page: str


def run_entry(path: Sequence[str], document: Mapping[str, Any], plan: Mapping[str, Any], *, has_page: bool) -> Entry:
    """The line of a run: ``path`` are the parts of its directory below the store, ``document`` its results (empty: not judged)."""
    bug = plan.get("bug")
    faults = ", ".join(str(kind) for kind in plan.get("nemesis") or ()) or "no faults"
    what = f"{plan.get('target', '/'.join(path[:-1]))}{f' with bug {bug}' if bug else ''}, {plan.get('workload', '')}, {faults}"
    return Entry(
        kind="run",
        at=sentence(path[-1]),
        began=began(path[-1]),
        verdict=_verdict(document),
        what=sentence(what),
        cluster=sentence(plan.get("cluster")),
        seed=sentence(plan.get("seed")),
        # Of a valid run every checker has a sentence; the first is the one about what was promised.
        reason=sentence(_first(document) if _verdict(document) == "valid" else document.get("reason"), 400),
        page=_page(path, "report.html") if has_page else "",
    )


def verification_entry(path: Sequence[str], document: Mapping[str, Any]) -> Entry:
    """The line of a verification."""
    clusters = sorted({str(claim.get("cluster")) for claim in document.get("claims") or ()})
    return Entry(
        kind="verification",
        at=sentence(path[-1]),
        began=began(path[-1]),
        verdict=_verdict(document),
        what=sentence(f"{document.get('title') or ''} ({document.get('profile') or ''})"),
        cluster=sentence(", ".join(clusters)),
        seed=sentence(document.get("first_seed")),
        reason=sentence(document.get("reason"), 400),
        page=_page(path, "index.html"),
    )


def render_index(title: str, entries: Sequence[Entry]) -> str:
    """The page; its links are relative to the store."""
    style, script = stylesheet(), _script()
    newest = sorted(entries, key=lambda entry: entry.at, reverse=True)
    verdicts = [verdict for verdict in (*VERDICTS, NOT_JUDGED) if any(entry.verdict == verdict for entry in newest)]
    return (
        environment()
        .get_template("index.html.j2")
        .render(
            csp=policy(style, script),
            style=Markup(style),  # noqa: S704 - a constant of this package
            script=Markup(script),  # noqa: S704 - a constant of this package
            title=sentence(title),
            entries=newest,
            verdicts=[(verdict, sum(entry.verdict == verdict for entry in newest)) for verdict in verdicts],
        )
    )


def _verdict(document: Mapping[str, Any]) -> str:
    verdict = document.get("verdict")
    return str(verdict) if verdict in VERDICTS else NOT_JUDGED


def _first(document: Mapping[str, Any]) -> str:
    return str(document.get("reason") or "").partition("; ")[0]


def _page(path: Sequence[str], name: str) -> str:
    return "/".join(quote(part, safe="", errors="replace") for part in (*path, name))


@cache
def _script() -> str:
    return f'"use strict";\n{(ASSETS / "index.js").read_text(encoding="utf-8")}'
