"""Each check in a process of its own, under a limit of memory: what a checker does cannot take the command down with it.

A process that is out of memory, or dies, gives ``unknown``. Where processes cannot be forked the checks run in this one.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.history import History
from harness.judge import judge
from harness.verdict import Budget, Checker, Validity, Verdict

MEBIBYTE = 1 << 20


def judge_apart(history: History, checkers: Sequence[Checker], budget: Budget, *, memory_mb: int) -> list[Verdict]:
    """One verdict per checker, in order; each check may use ``memory_mb`` MiB more than the history does."""
    if not sys.platform.startswith("linux"):
        return judge(history, checkers, budget)
    if any(hasattr(checker, "model") for checker in checkers):
        history.calls()  # once, for all processes
    return [_apart(history, checker, budget, memory_mb) for checker in checkers]


def _apart(history: History, checker: Checker, budget: Budget, memory_mb: int) -> Verdict:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(writing, history, checker, budget, memory_mb)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        try:
            answer = pipe.read()
        except KeyboardInterrupt:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            _, status = os.waitpid(child, 0)
    if status == 0:
        with suppress(pickle.UnpicklingError, EOFError):
            verdict: Verdict = pickle.loads(answer)  # noqa: S301 - written by our own child
            return verdict
    code = os.waitstatus_to_exitcode(status)
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    reason = f"the process of the checker died ({how}); it was allowed {memory_mb:,} MiB"
    return Verdict(checker=checker.name, validity=Validity.UNKNOWN, reason=reason)


def _work(writing: int, history: History, checker: Checker, budget: Budget, memory_mb: int) -> None:
    """The child: judge, tell, and leave without the parent's clean-up."""
    code = 1
    try:
        _limit(memory_mb)
        (verdict,) = judge(history, [checker], budget)
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(verdict, pipe)
        code = 0
    except KeyboardInterrupt:
        code = 130
    finally:
        os._exit(code)


def _limit(memory_mb: int) -> None:
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + memory_mb * MEBIBYTE
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
