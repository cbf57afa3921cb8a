"""What a participant decides whose coordinator is silent, by what it hears from whom, and what three phases never do, whoever crashes."""

from __future__ import annotations

import asyncio
import random
from types import SimpleNamespace
from typing import Any

import pytest

from targets.txn.store.bugs import Bugs
from targets.txn.store.config import Config
from targets.txn.store.shard import Prepared, Shard
from targets.txn.store.termination import Termination

TERM = 4
SILENT = None


class Others:
    """Groups in which ``states`` (shard → (state, stamp), or None for no answer) are known; those ``back`` were dead meanwhile, and
    ``refuse`` a precommit once, as after somebody else has taken over. Remembers what was decided.
    """

    def __init__(self, states: dict[str, Any], back: str = "", refuse: str = "") -> None:
        self.states, self.back, self.refuse = states, back.split(), refuse.split()
        self.machines = {"s0": Shard(Bugs(), validates_reads=True)}
        self.machines["s0"].prepared["t"] = PREPARED
        self.quorums = {"s0": SimpleNamespace(leads=True, state=SimpleNamespace(term=TERM))}
        self.when_voted: Any = None
        self.decided: list[Any] = []
        self.told: list[str] = []
        self.takers: list[str] = []

    async def call(self, group: str, command: list[Any], _timeout_s: float) -> dict[str, Any]:
        if command[0] == "stamp":
            return {"stamp": 99}
        if command[0] == "decide":
            self.decided.append((group, *command[2:]))
            return {"state": command[2]}
        if self.states[group] is SILENT:
            raise TimeoutError
        state, stamp = self.states[group]
        if command[0] == "precommit":
            self.told.append(group)
            assert command[3] in self.takers
            if group in self.refuse:
                self.refuse.remove(group)
                return {"state": state}
            return {"state": "precommitted"}
        self.takers.append(command[2])
        return {"state": state, "stamp": stamp, "lived": group not in self.back}


PREPARED = Prepared(coordinator="n9", shards=["s0", "s1", "s2"], start=0, reads=[], writes={"x": 1})
YES, ALL = ("prepared", None), ("precommitted", 7)
COMMITTED, ABORTED = ("commit", 7), ("abort", None)


def decided(
    coordinator: Any,
    states: dict[str, Any],
    *,
    back: str = "",
    refuse: str = "",
    bug: str | None = None,
    **options: Any,
) -> Any:
    """What shard s0 decides, None for nothing, given what its coordinator says (None: nothing)."""
    others: Any = Others(states, back, refuse)

    async def rpc(_dest: str, _body: Any, _timeout_s: float) -> Any:
        if coordinator is SILENT:
            raise TimeoutError
        return {"state": coordinator[0], "stamp": coordinator[1]}

    env: Any = SimpleNamespace(rpc=rpc, random=random.Random(1))
    termination = Termination(env, Config.of(options), Bugs.named(bug), others)
    if "s0" not in others.back:
        others.when_voted("s0", "t")
    asyncio.run(termination._end(("s0", "t"), PREPARED))
    if options.get("protocol") == "3pc":
        assert len(set(others.takers)) <= (2 if refuse else 1)
        assert "" not in others.takers
    else:
        assert set(others.takers) <= {""}
    if not others.decided:
        return None
    assert len(others.decided) == 1
    outcome, stamp, by = others.decided[0][1:]
    if refuse:
        assert by == others.takers[-1] != others.takers[0]
    if by and outcome == "commit" and bug is None:  # all that live have heard it before
        assert set(others.told) == {shard for shard, known in states.items() if known is not SILENT}
    return outcome, stamp


@pytest.mark.parametrize("protocol", ["2pc", "3pc"])
@pytest.mark.parametrize(("said", "wanted"), [(COMMITTED, COMMITTED), (ABORTED, ABORTED), (("undecided", None), None)])
def test_a_coordinator_that_lives_is_believed(protocol: str, said: Any, wanted: Any) -> None:
    assert decided(said, {"s0": YES, "s1": SILENT, "s2": SILENT}, protocol=protocol) == wanted


@pytest.mark.parametrize(
    ("one", "two", "wanted"),
    [
        (YES, YES, None),
        (YES, SILENT, None),
        (SILENT, SILENT, None),
        (COMMITTED, SILENT, COMMITTED),
        (YES, ABORTED, ABORTED),
    ],
)
def test_in_two_phases_only_who_knows_the_outcome_helps(one: Any, two: Any, wanted: Any) -> None:
    assert decided(SILENT, {"s1": one, "s2": two}) == wanted


@pytest.mark.parametrize(
    ("me", "one", "two", "back", "wanted"),
    [
        (YES, YES, YES, "", ABORTED),
        (YES, YES, ALL, "", COMMITTED),
        (ALL, YES, YES, "", COMMITTED),
        (YES, COMMITTED, ALL, "", COMMITTED),
        (ALL, ABORTED, ALL, "", ABORTED),
        # Who is silent is taken for dead: this is what a partition makes wrong.
        (YES, SILENT, SILENT, "", ABORTED),
        (ALL, SILENT, SILENT, "", COMMITTED),
        # Who was dead itself decides nothing alone.
        (YES, SILENT, YES, "s0", None),
        (ALL, SILENT, ALL, "s0", None),
        (YES, SILENT, COMMITTED, "s0", COMMITTED),
        (YES, YES, YES, "s0", ABORTED),
        (YES, ALL, YES, "s0", COMMITTED),
        # Nor does it count: those who lived may have aborted, and died. What it knows to be decided is.
        (YES, ALL, SILENT, "s1", ABORTED),
        (YES, COMMITTED, SILENT, "s1", COMMITTED),
        (YES, ALL, YES, "s1", COMMITTED),
        # A shard that does not answer itself cannot decide.
        (SILENT, YES, YES, "", None),
    ],
)
def test_in_three_phases_the_living_decide(me: Any, one: Any, two: Any, back: str, wanted: Any) -> None:
    assert decided(SILENT, {"s0": me, "s1": one, "s2": two}, back=back, protocol="3pc") == wanted


@pytest.mark.parametrize("refuse", ["s0", "s1"])
def test_who_is_overtaken_before_all_that_live_have_heard_it_decides_in_another_attempt(refuse: str) -> None:
    assert decided(SILENT, {"s0": YES, "s1": YES, "s2": ALL}, refuse=refuse, protocol="3pc") == COMMITTED


def test_a_coordinator_of_three_phases_that_comes_back_knows_nothing() -> None:
    assert decided(("unknown", None), {"s0": YES, "s1": ALL, "s2": YES}, protocol="3pc") == COMMITTED


@pytest.mark.parametrize(
    ("bug", "protocol", "states", "wanted"),
    [
        ("impatient-abort", "2pc", {"s1": COMMITTED, "s2": YES}, ABORTED),
        ("timeout-commit", "3pc", {"s0": YES, "s1": ABORTED, "s2": YES}, ("commit", 99)),
        ("timeout-alone", "3pc", {"s0": YES, "s1": ALL, "s2": YES}, ABORTED),
    ],
)
def test_a_bug_decides_what_the_others_do_not(bug: str, protocol: str, states: Any, wanted: Any) -> None:
    assert decided(SILENT, states, bug=bug, protocol=protocol) == wanted
    assert decided(SILENT, states, protocol=protocol) != wanted
