"""Which anomaly refutes which consistency models, name by name, as Adya's thesis and Elle's lattice have it; and what is looked for."""

from __future__ import annotations

import pytest

from checkers.transactions.cycles import name_of
from checkers.transactions.graph import Time
from checkers.transactions.models import (
    ALIASES,
    ANOMALIES,
    MODELS,
    canonical,
    classes_for,
    forbids,
    implied,
    refuted,
    time_of,
    weakest,
)

# anomaly → the weakest models that it refutes
REFUTED = {
    "G0": "read-uncommitted",
    "G0-process": "strong-session-read-uncommitted",
    "G0-realtime": "strong-read-uncommitted",
    "G1c": "read-committed",
    "G1c-process": "strong-session-read-committed",
    "G1c-realtime": "strong-read-committed",
    "G-single-item": "consistent-view repeatable-read",
    "G-single-item-process": "strong-session-snapshot-isolation",
    "G-single-item-realtime": "strong-snapshot-isolation",
    "G-nonadjacent-item": "repeatable-read snapshot-isolation",
    "G-nonadjacent-item-process": "strong-session-snapshot-isolation",
    "G-nonadjacent-item-realtime": "strong-snapshot-isolation",
    "G2-item": "repeatable-read",
    "G2-item-process": "strong-session-serializable",
    "G2-item-realtime": "strict-serializable",
    "G-single": "consistent-view",
    "G-single-process": "strong-session-snapshot-isolation",
    "G-single-realtime": "strong-snapshot-isolation",
    "G-nonadjacent": "snapshot-isolation",
    "G-nonadjacent-process": "strong-session-snapshot-isolation",
    "G-nonadjacent-realtime": "strong-snapshot-isolation",
    "G2": "serializable",
    "G2-process": "strong-session-serializable",
    "G2-realtime": "strict-serializable",
    "garbage-read": "read-uncommitted",
    "duplicate-elements": "read-uncommitted",
    "cyclic-versions": "read-uncommitted",
    "G1a": "read-committed",
    "G1b": "read-committed",
    "incompatible-order": "read-committed",
    "dirty-update": "read-committed",
    "future-read": "read-committed",
    "internal": "read-atomic",
    "lost-update": "cursor-stability update-atomic",
    "non-monotonic-view": "monotonic-atomic-view consistent-view",
    "fractured-read": "consistent-view read-atomic",
    "non-causal": "causal",
    "predicate-read-miss": "serializable",
    "predicate-read-mismatch": "snapshot-isolation",
}


@pytest.mark.parametrize("anomaly", ANOMALIES)
def test_the_weakest_models_that_an_anomaly_refutes(anomaly: str) -> None:
    assert weakest(refuted([anomaly])) == tuple(REFUTED[anomaly].split())
    assert refuted([anomaly]) == tuple(model for model in MODELS if forbids(model, anomaly))


def test_several_anomalies_refute_what_any_of_them_does() -> None:
    found = refuted(["non-causal", "internal"])
    assert set(found) == set(refuted(["internal"])) | set(refuted(["non-causal"]))
    assert refuted([]) == ()
    assert weakest([]) == ()
    assert weakest(["serializable", "read-committed", "causal", "prefix"]) == ("read-committed",)
    assert weakest(["causal", "prefix", "serializable"]) == ("causal", "prefix")


def test_a_model_implies_itself_and_the_strongest_all() -> None:
    assert implied("read-uncommitted") == {"read-uncommitted"}
    assert implied("monotonic-view") == {"monotonic-view", "read-committed", "read-uncommitted"}
    assert implied("strict-serializable") == set(MODELS)


def test_other_names_of_a_model_are_known_and_what_is_none_stays() -> None:
    assert {canonical(alias) for alias in ALIASES} <= set(MODELS)
    assert canonical("PL-3") == canonical("serializable") == "serializable"
    assert canonical("serialisable") == "serialisable"


@pytest.mark.parametrize("model", MODELS)
def test_only_models_of_sessions_and_of_real_time_keep_an_order_of_time(model: str) -> None:
    wanted = Time.PROCESS if model.startswith("strong-session") or model == "causal" else Time.REAL
    assert time_of(model) == (
        wanted if model.startswith(("strong", "strict", "causal")) and model != "causal-cerone" else Time.NONE
    )


PLAIN = ("G0", "G1c", "G-single-item", "G-nonadjacent-item", "G2-item")


@pytest.mark.parametrize(
    ("model", "predicates", "wanted"),
    [
        ("read-committed", False, PLAIN),
        ("read-committed", True, ("G-single", "G-nonadjacent", "G2")),
        ("repeatable-read", True, ("G-single", "G-nonadjacent", "G2")),
        (
            "causal",
            False,
            ("G0", "G1c", "G0-process", "G1c-process", *PLAIN[2:], *(f"{name}-process" for name in PLAIN[2:])),
        ),
        (
            "strong-session-snapshot-isolation",
            False,
            (*PLAIN[:4], *(f"{name}-process" for name in PLAIN[:4]), "G2-item", "G2-item-process"),
        ),
        ("strict-serializable", False, tuple(name + time for time in ("", "-process", "-realtime") for name in PLAIN)),
    ],
)
def test_what_a_model_forbids_is_looked_for_first(model: str, predicates: bool, wanted: tuple[str, ...]) -> None:
    """Then whatever else there is up to its order of time."""
    found = classes_for(model, predicates=predicates)
    assert tuple(name_of(*one, predicates=predicates) for one in found) == wanted


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("predicates", [False, True])
def test_of_what_is_looked_for_the_forbidden_part_comes_first(model: str, predicates: bool) -> None:
    forbidden = [
        forbids(model, name_of(*one, predicates=predicates)) for one in classes_for(model, predicates=predicates)
    ]
    assert forbidden == sorted(forbidden, reverse=True)
    assert all(time <= time_of(model) for _, time in classes_for(model, predicates=predicates))


def test_predicates_are_looked_for_where_there_are_any() -> None:
    assert classes_for("serializable") == classes_for("serializable", predicates=False)
    assert classes_for("serializable") != classes_for("serializable", predicates=True)
