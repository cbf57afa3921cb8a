"""Weaker models against their definitions: every order is tried, for every process where a model asks for it."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.weak import check
from checkers.weak.check import MODELS, make
from checkers.weak.registers import make as make_registers
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Validity
from tests import builders
from tests.builders import timeline
from tests.checkers.runs import could_be_wrong

made = cache(lambda model: make(model=model))
NONE = -1
ORDER = ["sequential", "causal-memory", "causal-convergence", "causal", "pram"]


def small_run(seed: int) -> History:
    """Three processes, two keys, unique writes; a read returns any value of its key, mostly one that was written."""
    dice = random.Random(seed)
    ops: list[Op] = []
    written: dict[str, list[int]] = {"x": [], "y": []}
    value = 0
    plan = [(dice.randrange(3), dice.choice("xy"), dice.random()) for _ in range(dice.randrange(4, 8))]
    for _, key, roll in plan:
        if roll < 0.5:
            value += 1
            written[key].append(value)
    value = 0
    for process, key, roll in plan:
        if roll < 0.5:
            value += 1
            op = Op(process=process, f="write", key=key, value=value)
            ops += [op, op.ok(value)]
        else:
            op = Op(process=process, f="read", key=key)
            ops += [op, op.ok(dice.choice([*written[key], *written[key], None]))]
    return History.of(ops)


@dataclass(frozen=True)
class Sessions:
    """Operations, process by process; the first ones write the nulls that keys begin with. ``source``: the write that a read saw."""

    session: list[int]
    key: list[int]
    source: list[int]

    def __len__(self) -> int:
        return len(self.session)

    @property
    def sessions(self) -> int:
        return max(self.session) + 1


def sessions_of(history: History) -> Sessions | None:
    """None if something was read that nobody wrote."""
    ops = sorted((op for op in history if op.type == "ok"), key=lambda op: int(op.process))
    keys, processes = sorted({str(op.key) for op in ops}), sorted({op.process for op in ops}, key=int)
    source = {(key, None): at for at, key in enumerate(keys)}
    source |= {(str(op.key), op.value): at for at, op in enumerate(ops, len(keys)) if op.f == "write"}
    if any((op.key, op.value) not in source for op in ops):
        return None
    return Sessions(
        session=[0] * len(keys) + [processes.index(op.process) + 1 for op in ops],
        key=[*range(len(keys)), *(keys.index(str(op.key)) for op in ops)],
        source=[NONE] * len(keys) + [NONE if op.f == "write" else source[str(op.key), op.value] for op in ops],
    )


def explained(s: Sessions, operations: list[int], order: set[tuple[int, int]], readers: set[int]) -> bool:
    """Whether some permutation that keeps ``order`` lets every reader see its source last of its key."""
    for permutation in permutations(operations):
        at = {i: n for n, i in enumerate(permutation)}
        if any(at[a] > at[b] for a, b in order if a in at and b in at):
            continue
        now: dict[int, int] = {}
        good = True
        for i in permutation:
            if s.source[i] == NONE:
                now[int(s.key[i])] = i
            elif i in readers:
                good = good and now.get(int(s.key[i]), int(s.key[i])) == s.source[i]
        if good:
            return True
    return False


def causal_order(s: Sessions) -> set[tuple[int, int]]:
    n = len(s)
    pairs = {(i, k) for i in range(n) for k in range(n) if s.session[i] == s.session[k] and i < k}
    pairs |= {(int(s.source[i]), i) for i in range(n) if s.source[i] != NONE}
    while True:
        more = {(a, d) for a, b in pairs for c, d in pairs if b == c} - pairs
        if not more:
            return pairs
        pairs |= more


def by_definition(s: Sessions, model: str) -> bool:
    real = [i for i in range(len(s)) if s.session[i]]
    program = {(i, k) for i in real for k in real if s.session[i] == s.session[k] and i < k}
    reads = {i for i in real if s.source[i] != NONE}
    if model == "sequential":
        return explained(s, real, program, reads)
    if model == "pram":
        return all(
            explained(
                s,
                [i for i in real if i not in reads or s.session[i] == t],
                program,
                {i for i in reads if s.session[i] == t},
            )
            for t in range(1, s.sessions)
        )
    causal = causal_order(s)
    if any((a, a) in causal for a in real):
        return False
    past = {i: [k for k in real if (k, i) in causal or k == i] for i in real}
    if model == "causal":
        return all(explained(s, past[i], causal, {i}) for i in real)
    if model == "causal-memory":
        return all(explained(s, past[i], causal, {k for k in reads if s.session[k] == s.session[i]}) for i in real)
    # Convergence: one order of all, of which every operation's past is a part, explains that operation.
    return any(
        all(explained_by(s, [k for k in arbitration if k in past[i]], i) for i in reads)
        for arbitration in permutations(real)
        if all(arbitration.index(a) < arbitration.index(b) for a, b in causal if a in past and b in past)
    )


def explained_by(s: Sessions, order: list[int], read: int) -> bool:
    writes = [i for i in order if s.source[i] == NONE and s.key[i] == s.key[read] and i != read]
    return (writes[-1] if writes else int(s.key[read])) == s.source[read]


@pytest.mark.parametrize("model", MODELS)
@given(st.integers(0, 10**9))
def test_every_model_is_its_definition(model: str, seed: int) -> None:
    history = small_run(seed)
    wanted = defined(history, model)
    if wanted is None:
        return
    verdict = made(model).check(history, Budget())
    legal = Validity.VALID if could_be_wrong(history) else Validity.UNKNOWN
    assert verdict.validity is (legal if wanted else Validity.INVALID), verdict.reason
    for anomaly in verdict.anomalies:
        assert anomaly.witness
        assert set(anomaly.ops) <= set(anomaly.witness)


def defined(history: History, model: str) -> bool | None:
    """Whether the model allows it; None if something was read that nobody wrote, which no model is asked about."""
    found = sessions_of(history)
    return None if found is None else by_definition(found, model)


@pytest.mark.parametrize("model", MODELS)
def test_small_runs_are_allowed_often_and_forbidden_often(model: str) -> None:
    seen = Counter(defined(small_run(seed), model) for seed in range(60))
    assert min(seen[True], seen[False]) >= 6


def test_stronger_models_imply_weaker_ones() -> None:
    for seed in range(300):
        history = small_run(seed + 10_000)
        good = {model: make(model=model).check(history, Budget()).validity is Validity.VALID for model in MODELS}
        assert good["sequential"] <= good["causal-memory"] <= good["causal"], seed
        assert good["sequential"] <= good["causal-convergence"] <= good["causal"], seed
        assert good["causal-memory"] <= good["pram"], seed


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("p0 |- write x 1 -|\np1                  |- read x _ -|", []),
        ("p0 |- write x 1 -| |- read y _ -|\np1 |- write y 1 -| |- read x _ -|", ["sequential"]),
        ("p0 |- write x 1 -| |- write x 2 -|\np1 |- read x 2 -| |- read x 1 -|", ORDER),
        (
            "p0 |- write x 1 -|\np1 |- read x 1 -| |- write y 1 -|\np2                |- read y 1 -| |- read x _ -|",
            ["sequential", "causal-memory", "causal-convergence", "causal"],
        ),
        (
            "p0 |- write x 1 -| |- read x 2 -|\np1 |- write x 2 -| |- read x 1 -|",
            ["sequential", "causal-convergence"],
        ),
    ],
)
def test_the_textbook_histories(text: str, broken: list[str]) -> None:
    history = timeline(text)
    verdicts = {model: make(model=model).check(history, Budget()) for model in ORDER}
    assert [model for model, verdict in verdicts.items() if verdict.validity is Validity.INVALID] == broken
    names = {anomaly.name for verdict in verdicts.values() for anomaly in verdict.anomalies}
    assert names == ({"cyclic-order"} if broken else set())


@pytest.mark.parametrize(
    "text",
    [
        """
        p0 |- write z 1 -| |- write x 1 * -|                  |- read y _ * -| |- write z 2 -|
        p1                 |- write y 1 * -| |- read z 1 -|   |- read x _ * -|
        p2 |- read z _ -|                                  |- write w 1 -| |- read w 1 -|
        """,
        """
        p0 |- write x 1 * -| |- read x 1 -| |- write x 2 * -| |- read y 1 * -|
        p1 |- write y 1 * -|                |- write y 2 * -| |- read x 1 * -| |- read y 2 -|
        """,
    ],
)
def test_of_a_history_that_only_the_search_refutes_the_least_is_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What must come before what is enough for nearly all histories; here nobody asks for it. Stars are what must be shown."""
    monkeypatch.setattr(check, "saturate", lambda *_, **__: None)
    (anomaly,) = make(model="sequential").check(timeline(text.replace("*", "-")), Budget()).anomalies
    wanted = Counter(re.findall(r"(\w+ \w) (\w) \*", text))
    shown = [op for op in timeline(text.replace("*", "-")) if op.index in anomaly.witness and op.type == "ok"]
    assert Counter((f"{op.f} {op.key}", "_" if op.value is None else str(op.value)) for op in shown) == wanted
    assert "no one order of these operations explains every read" in anomaly.reason


def test_of_many_wrong_reads_eight_are_shown_whatever_their_key() -> None:
    text = "".join(f"p0 invoke read {key} _\np0 ok read {key} {value}\n" for key in "xy" for value in range(5))
    verdict = make_registers(model="regular").check(builders.history(text), Budget())
    assert len(verdict.anomalies) == 8
    assert verdict.reason.endswith(" (and 9 more reads)")


def test_what_cannot_be_judged_is_unknown_and_a_phantom_is_found() -> None:
    for text in ("p0 |- cas x [1,2] -|", "p0 |- write x 1 -| |- write x 1 -|", "p0 |- add x 1 -|"):
        assert make().check(timeline(text), Budget()).validity is Validity.UNKNOWN
    assert make().check(timeline("p0 |- read x 7 -|"), Budget()).anomalies[0].name == "phantom-read"
    assert make().check(timeline("p0 |- write x 1 -| |- read x 1 -|"), Budget(steps_max=1)).validity is Validity.UNKNOWN


@pytest.mark.parametrize(
    ("text", "regular", "safe"),
    [
        ("p0 |- write x 1 -| |- read x 1 -|", True, True),
        ("p0 |- write x 1 -| |- read x _ -|", False, False),
        ("p0 |- write x 1 -| |- write x 2 ------|\np1                    |- read x 7 -|", False, True),
        (
            "p0 |- write x 1 -| |- write x 2 ----------------------|\np1                    |- read x 2 -| |- read x 1 -|",
            True,
            True,
        ),
    ],
)
def test_regular_and_safe_registers(text: str, regular: bool, safe: bool) -> None:
    for model, good in (("regular", regular), ("safe", safe)):
        verdict = make_registers(model=model).check(timeline(text), Budget())
        assert verdict.validity is (Validity.VALID if good else Validity.INVALID)
