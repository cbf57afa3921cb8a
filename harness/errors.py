"""Every error that a person can cause or the world can throw, each with an exit code and one clear sentence.

    SplitbrainError
    ├── PlanError       254  the user's request cannot be run: unknown name, bad option, bad schedule
    ├── HistoryError    254  a history file is broken: says file, line and what would be right
    ├── TargetError     255  the system under test could not be started, reached or stopped
    ├── ClusterError    255  the machine could not do it: a full disk, a missing program, no permission
    └── PluginError     255  a target, checker or generator of someone else broke its contract

Anything else is a bug of ours. A message names the offender, where it stands, and what would be right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_VALID, EXIT_INVALID, EXIT_UNKNOWN, EXIT_USAGE, EXIT_BROKEN, EXIT_INTERRUPTED = 0, 1, 2, 254, 255, 130


class SplitbrainError(Exception):
    """The base of all errors that are shown as one sentence instead of a traceback."""

    exit_code = EXIT_BROKEN


class PlanError(SplitbrainError):
    """What the user asked for cannot be run."""

    exit_code = EXIT_USAGE


class HistoryError(SplitbrainError):
    """A history cannot be read, or breaks the rules of a history."""

    exit_code = EXIT_USAGE


class TargetError(SplitbrainError):
    """The system under test could not be started, reached or stopped."""


class ClusterError(SplitbrainError):
    """The machine below the system under test refused something."""


class PluginError(SplitbrainError):
    """A target, workload, generator or checker broke the contract of its extension point."""


def suggest(name: str, known: Iterable[str]) -> str:
    """The tail of an "unknown name" sentence: a near name if there is one, else all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
