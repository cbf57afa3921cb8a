"""Results as text: canonical, complete, and refused where they are not understood."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.results import RESULTS_VERSION
from harness.verdict import Validity
from reports.results_json import dumps, load_results, loads, render
from tests.reports.hostile import SHORT, hostile_run
from tests.reports.runs import small_run

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def document(**more: Any) -> dict[str, Any]:
    return {"version": RESULTS_VERSION, "verdict": "valid", **more}


def test_fields_come_in_the_described_order_and_unknown_ones_last() -> None:
    text = dumps(
        {
            "zebra": 1,
            "repeat": "again",
            "verdict": "valid",
            "apple": 2,
            "version": 1,
            "faults": [{"bit": True, "kind": "kill"}],
        }
    )
    assert list(json.loads(text)) == ["version", "verdict", "faults", "repeat", "apple", "zebra"]
    assert list(json.loads(text)["faults"][0]) == ["kind", "bit"]
    assert text.endswith("}\n")


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_document_comes_back_and_equal_ones_are_equal_as_text(more: dict[str, Any]) -> None:
    given_document = {**more, **document()}
    text = dumps(given_document)
    assert loads(text, "r") == json.loads(json.dumps(given_document))
    assert dumps(dict(reversed(given_document.items()))) == text
    assert dumps(loads(text, "r")) == text
    text.encode("utf-8")


def test_what_json_cannot_say_becomes_what_it_means() -> None:
    stats = {
        "nan": float("nan"),
        "far": np.float64("inf"),
        "three": np.int64(3),
        "list": np.array([1, 2]),
        "set": {3, 1, 2},
        "pair": (1, 2),
        "path": PurePosixPath("a/b"),
        "validity": Validity.VALID,
        5: "five",
    }
    assert loads(dumps(document(stats=stats)), "r")["stats"] == {
        "5": "five",
        "far": None,
        "list": [1, 2],
        "nan": None,
        "pair": [1, 2],
        "path": "a/b",
        "set": [1, 2, 3],
        "three": 3,
        "validity": 0,
    }


def test_objects_that_nobody_can_read_back_are_refused() -> None:
    with pytest.raises(TypeError, match="results hold a object"):
        dumps(document(stats=object()))


def test_hostile_texts_come_back_unchanged() -> None:
    run = hostile_run(SHORT)
    text = render(run)
    text.encode("utf-8")
    assert loads(text, "r") == json.loads(json.dumps(run.results))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.json: not a JSON document"),
        ("[" * 100_000, "r.json: not a JSON document"),
        ("[]", 'r.json: not the results of a run: expected a JSON object with "version" and "verdict"'),
        ('{"version": 1}', "r.json: not the results of a run"),
        ('{"verdict": "valid"}', "r.json: results of version None; a whole number from 1 is expected"),
        ('{"verdict": "valid", "version": true}', "results of version True"),
        ('{"verdict": "valid", "version": 0}', "results of version 0"),
        ('{"verdict": "valid", "version": 99}', "r.json: results of version 99, but we read 1: use a newer splitbrain"),
    ],
)
def test_what_is_no_document_of_ours_is_refused(text: str, message: str) -> None:
    with pytest.raises(HistoryError) as refused:
        loads(text, "r.json")
    assert message in str(refused.value)


def test_a_file_is_read_or_named(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(HistoryError, match=r"results.json: cannot be read \(No such file or directory\)"):
        load_results(path)
    path.write_text(render(small_run("invalid")), encoding="utf-8")
    assert load_results(path)["verdict"] == "invalid"
    path.write_bytes(b'{"verdict": "\xff"}')
    with pytest.raises(HistoryError, match="it is not UTF-8"):
        load_results(path)
