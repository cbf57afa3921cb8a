"""Why a register's history is impossible, in one sentence that a stranger understands, with the field's name
for it where it is certain.

The patterns with a name stand in ``patterns``. Where none applies, the last sentence says no more than what
the algorithm proved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from checkers.linearizable.patterns import PATTERNS, Case, Explanation
from checkers.wording import count
from harness.history import FOREVER

GENERAL = "nonlinearizable"
# Every name that an anomaly of this checker can have, and what it means.
ANOMALIES = {
    "phantom-read": "a value was read that nobody ever wrote",
    "aborted-read": "a value was read whose only writes had failed",
    "future-read": "a value was read before its write began",
    "lost-write": "a key was as new again after a write had completed",
    "stale-read": "a value was read after a newer write had completed",
    "impossible-cas": "a cas succeeded although the value that it expects was not there",
    "lost-update": "two cas both replaced the same value",
    "new-old-inversion": "a newer value was read, and afterwards an older one",
    GENERAL: "no order that respects real time explains all results",
}


def explain(case: Case, witness: Iterable[int], stuck: int | None) -> Explanation:
    """The sentence for ``witness`` (ascending positions, may be empty); ``stuck`` is the operation that no
    order reached, if one is known.
    """
    shown = list(witness) or ([] if stuck is None else [stuck])
    for pattern in PATTERNS:
        found = pattern(case, shown)
        if found is not None:
            # The names speak of reads and writes; of a lock only the sentence is right.
            return replace(found, name=GENERAL) if case.form.swaps else found
    return _general(case, shown)


def _general(case: Case, shown: list[int]) -> Explanation:
    """True of whatever was proved: these operations have no order (one of them alone: not with all that came
    before).
    """
    ops, say = case.ops, case.say
    where = say.key(case.row(shown[0]) if shown else case.row(0), "of")
    certain = [i for i in shown if ops.ret[i] != FOREVER]
    if not certain:
        sentence = f"no order of the operations{where} that respects real time explains all their results"
        return Explanation(name=GENERAL, sentence=sentence, shows=tuple(shown))
    last = max(certain, key=lambda i: int(ops.ret[i]))
    what = f"{say.whose(case.row(last))} {say.span(case.row(last))}"
    others = (
        f"{count(len(shown) - 1, 'other operation')}{where}" if len(shown) > 1 else f"the operations{where} before it"
    )
    sentence = f"no order that respects real time explains {what} together with {others}"
    return Explanation(name=GENERAL, sentence=sentence, shows=tuple(shown))
