"""Why a node died, from the end of its log, in a few words; and a word about its end for a log that has none."""

from __future__ import annotations

import json
from pathlib import Path

LINES_READ = 20
WORDS_MAX = 300
# Of a node that cannot tell its own end, so many lines are quoted.
LINES_QUOTED = 5


def last_words(log: Path) -> str:
    """The error of the last crash that the log tells of, else its last line, else that it holds nothing."""
    lines = _last_lines(log)
    told = [_told(line) for line in lines if line.strip()]
    crashes = [error for error, _ in told if error]
    words = crashes[-1] if crashes else told[-1][1] if told else "(its log is empty)"
    return words if len(words) <= WORDS_MAX else words[:WORDS_MAX] + "…"


def note_crash(log: Path, how: str, told_s: float) -> None:
    """Add a line of the node runtime's shape, event "crash", with ``how`` the node ended and its last lines.

    Nothing is added where the node's own runtime has told of its crash at the end of the log. ``told_s``: when, in the log's time.
    """
    lines = [line for line in _last_lines(log) if line.strip()]
    if lines and _told(lines[-1])[0]:
        return
    quoted = " | ".join(line.strip() for line in lines[-LINES_QUOTED:])
    error = f"{how}; its last lines: {quoted}" if quoted else f"{how} and had written nothing on standard error"
    with log.open("ab") as file:
        file.write(json.dumps({"t": round(told_s, 6), "event": "crash", "error": error}).encode() + b"\n")


def _last_lines(log: Path) -> list[str]:
    try:
        return log.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES_READ:]
    except OSError:
        return []


def _told(line: str) -> tuple[str, str]:
    """(the error if the line tells of a crash, the line)."""
    try:
        fields = json.loads(line)
    except ValueError:
        return "", line.strip()
    if not isinstance(fields, dict) or fields.get("event") != "crash":
        return "", line.strip()
    return str(fields.get("error") or str(fields.get("traceback", "")).strip().rsplit("\n", 1)[-1]), line.strip()
