"""A verification as SARIF 2.1.0 (OASIS, 2020): a rule per claim, a result per claim that is VIOLATED or unknown, at its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from reports.verification.rows import canary, expected, failed
from reports.wording import sentence

_LEVELS = {"VIOLATED": "error", "unknown": "warning"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(document: Mapping[str, Any]) -> str:
    """The log as JSON text."""
    claims = {str(claim["name"]): claim for claim in document["claims"]}
    driver = {
        "name": "splitbrain",
        "version": str(document["splitbrain"]),
        "rules": [*(_rule(name, claim) for name, claim in claims.items()), _CANARY_RULE],
    }
    results = [_result(document, claim) for claim in failed(document)]
    if document["canary"]["status"] != "VIOLATED":
        results.append({"ruleId": "canary", "level": "warning", "message": {"text": canary(document)}})
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(log, indent=2) + "\n"


_CANARY_RULE = {"id": "canary", "shortDescription": {"text": "A claim that is false must be found to be violated."}}


def _rule(name: str, claim: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": sentence(name),
        "shortDescription": {"text": sentence(claim["statement"])},
        "fullDescription": {"text": f"{sentence(claim['statement'])} Expected: {expected(claim)}."},
        "properties": {"tags": [sentence(kind) for kind in claim["faults"]], "source": sentence(claim["source"])},
    }


def _result(document: Mapping[str, Any], claim: Mapping[str, Any]) -> dict[str, Any]:
    smallest = claim.get("smallest") or {}
    repeat = f" Repeat: {sentence(smallest['repeat'], 2_000)}" if smallest.get("repeat") else ""
    place = {
        "artifactLocation": {"uri": quote(PurePath(str(document["file"])).as_posix(), errors="replace")},
        "region": {"startLine": max(1, claim["line"])},
    }
    mark = f"{claim['name']} on {claim['cluster']}: {claim['status']}"
    return {
        "ruleId": sentence(claim["name"]),
        "level": _LEVELS[claim["status"]],
        "message": {
            "text": f"{sentence(claim['status'])} on {sentence(claim['cluster'])}: {sentence(claim['reason'])}.{repeat}"
        },
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"claim/v1": hashlib.sha256(mark.encode(errors="replace")).hexdigest()},
    }
