"""Histories in which clients did nothing, or nothing that anybody knows: no checker may crash, and none may find anything wrong."""

from __future__ import annotations

from itertools import product

import pytest

from checkers import CHECKERS, MODELS
from harness.history import History
from harness.registry import Registry
from harness.verdict import Budget, Checker, Validity
from tests.builders import history

NOTHINGS = {
    "no line": "",
    "faults alone": """
        nemesis info start-kill - {"id": 1, "kind": "kill"}
        nemesis info start-kill - {"id": 1, "bit": true}
        nemesis info stop-kill - {"id": 1}
        nemesis info stop-kill - {"id": 1, "healed": true}
    """,
    "faults of another tool": "nemesis info mutate-llamas - _\nnemesis info mutate-llamas - _",
    "a fault that never ended": 'nemesis info start-kill - {"id": 1, "kind": "kill"}',
}


@pytest.mark.parametrize(("name", "nothing"), [*product(CHECKERS, NOTHINGS)], ids=str)
def test_no_checker_finds_anything_where_nothing_was_done(name: str, nothing: str) -> None:
    checker: Checker = Registry("checker", CHECKERS).get(name)()
    assert_harmless(checker, history(NOTHINGS[nothing]))


@pytest.mark.parametrize(("model", "nothing"), [*product(MODELS, NOTHINGS)], ids=str)
def test_no_model_is_broken_where_nothing_was_done(model: str, nothing: str) -> None:
    checker: Checker = Registry("checker", CHECKERS).get("linearizable")(model=model)
    assert_harmless(checker, history(NOTHINGS[nothing]))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("end", ["", "p0 info {f} x _ error=timeout", "p0 fail {f} x _ error=refused"])
def test_no_model_is_broken_by_one_operation_of_which_nothing_came(model: str, end: str) -> None:
    checker: Checker = Registry("checker", CHECKERS).get("linearizable")(model=model)
    for f in sorted(Registry("model", MODELS).get(model).fs):
        # An argument may have to be of a kind: then the model may say that it cannot judge it.
        assert_harmless(checker, history(f"p0 invoke {f} x _\n{end.format(f=f)}"))


def assert_harmless(checker: Checker, nothing: History) -> None:
    verdict = checker.check(nothing, Budget())
    assert verdict.validity is not Validity.INVALID
    assert verdict.reason
    assert not verdict.anomalies
