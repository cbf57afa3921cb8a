"""Why a node died, from the end of its log, in a few words."""

from __future__ import annotations

import json
from pathlib import Path

LINES_READ = 20
WORDS_MAX = 300


def last_words(log: Path) -> str:
    """The error of the last crash that the log tells of, else its last line, else that it holds nothing."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES_READ:]
    except OSError:
        lines = []
    told = [_told(line) for line in lines if line.strip()]
    crashes = [error for error, _ in told if error]
    words = crashes[-1] if crashes else told[-1][1] if told else "(its log is empty)"
    return words if len(words) <= WORDS_MAX else words[:WORDS_MAX] + "…"


def _told(line: str) -> tuple[str, str]:
    """(the error if the line tells of a crash, the line)."""
    try:
        fields = json.loads(line)
    except ValueError:
        return "", line.strip()
    if not isinstance(fields, dict) or fields.get("event") != "crash":
        return "", line.strip()
    return str(fields.get("error") or str(fields.get("traceback", "")).strip().rsplit("\n", 1)[-1]), line.strip()
