"""Renew ``corpus.json``: ``python -m tests.sweep.corpus [PART-OF-A-NAME ...]``.

Tries again what is known, and looks for a seed where none is known or the known one shows nothing any more. Writes after each case, so
that it may be interrupted; exits with 1 if a case showed in no seed.
"""

from __future__ import annotations

import json
import sys

from tests.sweep.cases import BROKEN, BUGS, CORPUS


def main(parts: list[str]) -> int:
    """Renew the entries whose names have one of ``parts`` in them, or all; returns the exit code."""
    cases = {str(case): case for case in (*BUGS, *BROKEN)}
    known = {name: seed for name, seed in json.loads(CORPUS.read_text()).items() if name in cases}
    lost = 0
    for name, case in cases.items():
        if parts and not any(part in name for part in parts):
            continue
        try:
            known[name] = case.shown(known)
            print(f"{name}: seed {known[name]}", flush=True)  # noqa: T201 - a command
        except AssertionError as error:
            known.pop(name, None)
            print(error, flush=True)  # noqa: T201
            lost += 1
        CORPUS.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
