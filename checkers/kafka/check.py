"""The checker ``kafka``: logs to which messages are sent and from which they are polled by offset. By Jepsen's names:

* ``lost-write``: a message was acknowledged, and never polled, though a later offset of its log was;
* ``unseen``: a message was acknowledged, and never polled to the very end, though somebody then polled until there was nothing more;
* ``duplicate``: one message stands at several offsets; ``inconsistent-offsets``: several messages stand at one;
* ``poll-skip``: between two polls of one process lies an offset, known to hold a message, that neither returned;
  ``int-poll-skip``: the same inside one poll;
* ``nonmonotonic-poll``: a poll went back behind the one before of its process; ``int-nonmonotonic-poll``: a poll is out of order in itself;
* ``nonmonotonic-send``, ``int-nonmonotonic-send``: the same of the offsets that one process's sends were given;
  ``int-send-skip``: between two sends of one transaction stands what is not its own;
* ``G1a`` (aborted read): a poll returned a message whose send had failed; ``phantom``: one that nobody had sent;
* ``precommitted-read``: a transaction polled what it had sent itself;
* ``G1c``: transactions polled each other's messages in a circle; ``G1c-process``, ``G1c-realtime``: in a circle with the order of a
  process, or of real time (a message was polled before its send began). With ``ww_deps`` the order of offsets counts, too, and so there are
  ``G0``, ``G0-process`` and ``G0-realtime``.

Some of these may be, by Jepsen's rules: int-send-skip and G0 always, since what transactions write to a log is not isolated; poll-skip and
nonmonotonic-poll where clients subscribe, since a group's members change; G1c where ww_deps counts the order of offsets. What is allowed
is counted. Offsets may be sparse: one that nobody was told of is no gap. Where a process was assigned anew, its polls begin anew.
With ``keys`` a log is compacted: of each key the last message must be kept, and whoever misses an earlier one has missed nothing.

Source: Maelstrom's workload kafka and Jepsen's jepsen.tests.kafka (allowed-error-types).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.findings import Findings, unknown
from checkers.kafka.cycles import CYCLES, cycles
from checkers.kafka.finders import FINDERS, UNSEEN, compacted, unpolled
from checkers.kafka.log import SUBSCRIBE, Logs, Unjudgeable, logs_of
from checkers.wording import Narrator, count
from harness.errors import PlanError, suggest
from harness.history import History
from harness.verdict import Budget, Checker, Verdict

NAME = "kafka"
ALLOWED = frozenset({"int-send-skip", "G0", "G0-process", "G0-realtime"})
ALLOWED_SUBSCRIBED = frozenset({"poll-skip", "nonmonotonic-poll"})
ALLOWED_WW = frozenset({"G1c", "G1c-process", "G1c-realtime"})


def make(*, ww_deps: bool = False, allow: Sequence[str] = (), keys: int = 0) -> Checker:
    """Was every acknowledged message kept, at one offset, and did every consumer see all of them in order? Options: ww_deps (the order of
    offsets counts in circles of transactions), allow (names of anomalies that may be, besides Jepsen's) and keys (logs are compacted, and
    the key of a message is its number modulo that). Raises PlanError.
    """
    if type(keys) is not int or keys < 0:
        raise PlanError(f"keys must be a whole number from 0 on, not {keys!r}")
    names = (allow,) if isinstance(allow, str) else tuple(allow)
    for anomaly in names:
        if anomaly not in {*FINDERS, *CYCLES}:
            raise PlanError(f"unknown anomaly {anomaly!r} of logs: {suggest(str(anomaly), {*FINDERS, *CYCLES})}")
    return Kafka(ww_deps=ww_deps, allow=names, keys=keys)


@dataclass(slots=True, kw_only=True)
class Kafka:
    """See the module."""

    ww_deps: bool = False
    allow: tuple[str, ...] = ()
    keys: int = 0
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            logs = logs_of(history, self.keys)
        except (Unjudgeable, TypeError, ValueError) as problem:
            return unknown(NAME, f"not a history of logs: {problem}")
        found = Findings(NAME, Narrator(logs.calls), self._allowed(history))
        for anomaly, find in FINDERS.items():
            for key, log in logs.logs.items():
                for rows, reason in find(log, found.say) if anomaly != UNSEEN or key in logs.ended else ():
                    found.add(anomaly, rows, reason)
        exhausted = cycles(logs, found, budget, ww=self.ww_deps)
        return _verdict(logs, found, exhausted)

    def _allowed(self, history: History) -> frozenset[str]:
        subscribed = ALLOWED_SUBSCRIBED if SUBSCRIBE in history.fs else frozenset[str]()
        return ALLOWED | subscribed | (ALLOWED_WW if self.ww_deps else frozenset()) | set(self.allow)


def _verdict(logs: Logs, found: Findings, exhausted: bool) -> Verdict:
    acked = sum(sent.ok for log in logs.logs.values() for sent in log.sends.values())
    stats: dict[str, Any] = {
        "logs": len(logs.logs),
        "acknowledged": acked,
        "polled": sum(len(log.polled) for log in logs.logs.values()),
        "unseen": sum(1 for log in logs.logs.values() for _ in unpolled(log)),
    }
    acknowledged, doubt = count(acked, "acknowledged message"), ""
    if not acked or not stats["polled"]:
        doubt = "no message was acknowledged and polled, so there was nothing to judge"
    elif stats["unseen"]:
        doubt = (
            f"{stats['unseen']:,} of {acknowledged} were never polled, but nobody polled to the end of the logs either"
        )
    elif exhausted:
        doubt = "the search for circles of transactions ran out of its budget of steps"
    taken = sum(1 for log in logs.logs.values() for _ in compacted(log))
    but = f", but for {taken:,} of which a later one of their key stood behind them" if taken else ""
    stats["compacted"] = taken
    fine = f"all of {acknowledged} were polled, each at one offset, by every consumer in order{but}"
    return found.verdict(doubt=doubt, fine=fine + found.allowed_words(), stats=stats)
