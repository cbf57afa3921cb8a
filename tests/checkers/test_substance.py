"""Histories that could show nothing wrong, whatever the system did: for no checker that judges are they a pass."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from checkers import CHECKERS, MODELS
from harness.registry import Registry
from harness.verdict import Budget, Checker, Validity
from tests.builders import history

# What these find is a figure, and so is nothing; with a bound of theirs, see the tests of each.
REPORTS = {"availability", "latency", "sides", "stats"}
# An answer of these tells by itself whether it is right: there is no other operation that would have to read it.
TELL_BY_THEMSELVES = {"echo", "g2", "locks", "monotonic", "time-bound", "unique-ids", "sanity"}
# Checker → an update (f, key, value with one number for %d) and a read (f, key, what it returns where nothing was ever done).
OBJECTS: dict[str, tuple[tuple[str, str, str], tuple[str, str, str] | None]] = {
    "atomic-commit": (("txn", "-", '[["append", "x", %d]]'), None),
    "atomicity": (("write", "x", "%d"), ("read", "x", "_")),
    "bank": (("transfer", "-", '{"from": "a", "to": "b", "amount": %d}'), ("read", "-", '{"a": 5, "b": 5}')),
    "broadcast": (("broadcast", "-", "%d"), ("read", "-", "[]")),
    "causal-reverse": (("write", "x", "%d"), ("read", "x", "[]")),
    "clock-condition": (("write", "x", "%d"), None),
    "closed-predicate": (("txn", "-", '[["insert", "x%d", 1]]'), ("txn", "-", '[["rp", "true", {}]]')),
    "coherence": (("write", "x", "%d"), ("read", "x", "_")),
    "convergence": (("write", "x", "%d"), ("read", "x", "_")),
    "counter": (("add", "-", "%d"), ("read", "-", "0")),
    "echo": (("echo", "-", "%d"), None),
    "fifo-per-producer": (("enqueue", "-", "%d"), ("dequeue", "-", "_")),
    "files": (("append", "f0", "%d"), ("read", "f0", "_")),
    "g-set": (("add", "-", "%d"), ("read", "-", "[]")),
    "g2": (("insert", "1", '["a", %d]'), None),
    "health": (("serve", "x", '"a%d"'), ("healthy", "x", "[]")),
    "kafka": (("send", "-", '[["send", "x", %d]]'), ("poll", "-", '[["poll", {}]]')),
    "leadership": (("write", "x", "%d"), None),
    "linearizable": (("write", "x", "%d"), ("read", "x", "_")),
    "list-append": (("txn", "-", '[["append", "x", %d]]'), ("txn", "-", '[["r", "x", []]]')),
    "litmus": (("write", "x", "%d"), None),
    "locks": (("acquire", "x", "_"), None),
    "long-fork": (("txn", "-", '[["w", "x%d", 1]]'), ("txn", "-", '[["r", "x", null], ["r", "y", null]]')),
    "monotonic": (("increment", "x", "%d"), ("read", "x", "0")),
    "or-set": (("add", "-", "%d"), ("read", "-", "[]")),
    "registry": (("register", "x", '"a%d"'), ("lookup", "x", "[]")),
    "rw-register": (("txn", "-", '[["w", "x", %d]]'), ("txn", "-", '[["r", "x", null]]')),
    "sanity": (("write", "x", "%d"), ("read", "x", "_")),
    "security": (("write", "x", "%d"), ("read", "x", "_")),
    "sessions": (("write", "x", "%d"), ("read", "x", "_")),
    "set": (("add", "-", "%d"), ("read", "-", "[]")),
    "staleness": (("write", "x", "%d"), ("read", "x", "_")),
    "time-bound": (("now", "-", "_"), None),
    "total-queue": (("enqueue", "-", "%d"), ("dequeue", "-", "_")),
    "unique-ids": (("generate", "-", "_"), None),
    "weak": (("write", "x", "%d"), ("read", "x", "_")),
    "weak-registers": (("write", "x", "%d"), ("read", "x", "_")),
}
TIMES = range(1, 13)


def calls(end: str, f: str, key: str, value: str, *, result: str = "", first: int = 0) -> str:
    """A dozen calls one after the other, of a process each, which end so."""
    lines = []
    for n in TIMES:
        argument = value % n if "%d" in value else value
        got = result or argument
        error = "" if end == "ok" else " error=lost"
        lines += [f"p{first + n} invoke {f} {key} {argument}", f"p{first + n} {end} {f} {key} {got}{error}"]
    return "\n".join(lines)


def asked(read: tuple[str, str, str], end: str) -> str:
    """The read, asked for as clients do: a transaction names what it reads, all others nothing."""
    f, key, result = read
    return calls(end, f, key, result if f in ("txn", "poll") else "_", result=result, first=100)


def made(name: str, **options: Any) -> Checker:
    checker: Checker = Registry("checker", CHECKERS).get(name)(**options)
    return checker


def test_every_checker_is_in_one_of_the_tables() -> None:
    assert OBJECTS.keys() | REPORTS == set(CHECKERS)
    assert not OBJECTS.keys() & REPORTS


def assert_no_pass(checker: Checker, text: str) -> None:
    verdict = checker.check(history(text), Budget())
    assert verdict.validity is Validity.UNKNOWN, verdict.reason
    assert verdict.reason


@pytest.mark.parametrize("name", OBJECTS)
def test_a_history_of_nothing_is_no_pass(name: str) -> None:
    assert_no_pass(made(name), "")


@pytest.mark.parametrize(("name", "end"), [*product(OBJECTS, ("fail", "info"))])
def test_where_nothing_succeeded_there_is_no_pass(name: str, end: str) -> None:
    update, read = OBJECTS[name]
    assert_no_pass(made(name), "\n".join([calls(end, *update), asked(read, end) if read else ""]))


@pytest.mark.parametrize("name", [name for name in OBJECTS if name not in TELL_BY_THEMSELVES])
def test_what_was_never_read_is_no_pass(name: str) -> None:
    update, read = OBJECTS[name]
    assert_no_pass(made(name), calls("ok", *update))
    if read:
        assert_no_pass(made(name), "\n".join([calls("ok", *update), asked(read, "fail")]))


@pytest.mark.parametrize("name", [name for name, (_, read) in OBJECTS.items() if read and name != "sanity"])
def test_where_nothing_was_ever_done_there_is_no_pass(name: str) -> None:
    read = OBJECTS[name][1]
    assert read is not None
    assert_no_pass(made(name), asked(read, "ok"))
    assert_no_pass(made(name), "\n".join([calls("fail", *OBJECTS[name][0]), asked(read, "ok")]))


@pytest.mark.parametrize("model", MODELS)
def test_of_no_model_is_a_history_a_pass_that_shows_nothing_of_its_state(model: str) -> None:
    found = Registry("model", MODELS).get(model)
    value = '"a"' if model == "string-kv" else "1"
    for f in sorted(found.blind):
        assert_no_pass(made("linearizable", model=model), calls("ok", f, "x", value))
    for f in sorted(found.reads):
        assert_no_pass(made("linearizable", model=model), calls("fail", f, "x", "_"))


@pytest.mark.parametrize("model", MODELS)
def test_whatever_tells_something_of_the_state_may_be_a_pass(model: str) -> None:
    """What is called blind must succeed in every state, and leave nothing to be told."""
    found = Registry("model", MODELS).get(model)
    assert found.blind < found.fs
    assert not found.blind & found.reads
    argument: Any = "a" if model == "string-kv" else 1
    states = [found.init]
    for f in sorted(found.blind):
        for state in states[:8]:
            legal, after = found.step(state, f, argument, argument)
            assert legal
            states.append(after)
