"""A verification as JUnit XML: a suite per target, a case per claim. VIOLATED is a failure, unknown an error, neither is ever skipped.

The format is what Jenkins, GitLab and GitHub's actions read; there is no standard but the Ant task's schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from reports.verification.rows import canary, detect, expected, rate
from reports.wording import sentence

# What XML 1.0 cannot hold, even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(document: Mapping[str, Any]) -> str:
    """The document as XML."""
    root = ET.Element("testsuites", name="splitbrain")
    claims = list(document["claims"])
    for target in dict.fromkeys(str(claim["target"]) for claim in claims):
        _suite(root, target, [claim for claim in claims if claim["target"] == target])
    suite = ET.SubElement(root, "testsuite", name="canary", tests="1")
    case = ET.SubElement(suite, "testcase", classname="splitbrain", name="canary")
    alive = document["canary"]["status"] == "VIOLATED"
    suite.set("failures", "0")
    suite.set("errors", "0" if alive else "1")
    if not alive:
        ET.SubElement(case, "error", message=_clean(canary(document)), type="unknown")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, target: str, claims: Sequence[Mapping[str, Any]]) -> None:
    failures = sum(claim["status"] == "VIOLATED" for claim in claims)
    errors = sum(claim["status"] == "unknown" for claim in claims)
    suite = ET.SubElement(
        root, "testsuite", name=_clean(target), tests=str(len(claims)), failures=str(failures), errors=str(errors)
    )
    for claim in claims:
        name = f"{claim['claim']} on {claim['cluster']}"
        case = ET.SubElement(suite, "testcase", classname=_clean(target), name=_clean(name))
        kind = {"VIOLATED": "failure", "unknown": "error"}.get(claim["status"])
        if kind:
            told = ET.SubElement(case, kind, message=_clean(claim["reason"]), type=_clean(claim["status"]))
            told.text = _clean(_details(claim))
        ET.SubElement(case, "system-out").text = _clean(_figures(claim))


def _details(claim: Mapping[str, Any]) -> str:
    smallest = claim.get("smallest") or {}
    lines = [claim["statement"], f"expected: {expected(claim)}", claim["reason"]]
    lines += [f"{name}: {smallest[name]}" for name in ("run", "repeat") if smallest.get(name)]
    return "\n".join(sentence(line, 2_000) for line in lines)


def _figures(claim: Mapping[str, Any]) -> str:
    told = (
        ("status", claim["status"]),
        ("runs", claim["runs"]),
        ("detected in", rate(claim)),
        ("after", detect(claim)),
    )
    return "; ".join(f"{name}: {value}" for name, value in told if value != "")


def _clean(text: Any) -> str:
    return _FORBIDDEN.sub("\ufffd", "\n".join(sentence(line, 2_000) for line in str(text).split("\n")))
