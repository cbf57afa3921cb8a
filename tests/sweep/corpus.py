"""Renew ``corpus.json``: ``python -m tests.sweep.corpus [PART-OF-A-NAME ...]``.

Tries again what is known, and looks for a seed where none is known or the known one shows nothing any more. Writes after each case, so
that it may be interrupted; exits with 1 if a case showed in no seed.
"""

from __future__ import annotations

import sys

from harness.cli.corpus import read_corpus, write_corpus
from tests.sweep.cases import BROKEN, BUGS, CORPUS


def main(parts: list[str]) -> int:
    """Renew the entries whose names have one of ``parts`` in them, or all; returns the exit code."""
    cases = {str(case): case for case in (*BUGS, *BROKEN)}
    known = {name: places for name, places in read_corpus(CORPUS).items() if name in cases}
    lost = 0
    for name, case in cases.items():
        if parts and not any(part in name for part in parts):
            continue
        try:
            seed = case.shown(known)
            known[name] = {"sim": [seed]}
            print(f"{name}: seed {seed}", flush=True)  # noqa: T201 - a command
        except AssertionError as error:
            known.pop(name, None)
            print(error, flush=True)  # noqa: T201
            lost += 1
        write_corpus(CORPUS, known)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
