"""claims/textbook.toml: the textbook's sentences, each with a variant that keeps it and one that breaks it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from harness.claims import Case, parse_claims
from harness.cli import tables
from harness.cli.corpus import read_corpus
from harness.cli.models import judged

PATH = Path(__file__).resolve().parents[2] / "claims" / "textbook.toml"
CASES = parse_claims(PATH.read_text(encoding="utf-8"), str(PATH), tables.targets().get).cases


def rows() -> dict[int, list[Case]]:
    found: dict[int, list[Case]] = defaultdict(list)
    for case in CASES:
        found[int(case.row)].append(case)
    return found


def test_every_row_is_there() -> None:
    assert set(rows()) == set(range(1, 45))
    assert list(rows()) == sorted(rows())


def test_every_row_has_a_variant_that_holds_and_one_that_breaks() -> None:
    assert [row for row, cases in rows().items() if {case.breaks for case in cases} != {True, False}] == []


def test_every_claim_can_be_judged_by_what_it_names() -> None:
    for case in CASES:
        assert judged(case.claim).name == case.claim.name


def test_the_corpus_knows_claims_of_the_file_alone() -> None:
    known = read_corpus(PATH.with_suffix(".corpus.json"))
    assert set(known) <= {case.name for case in CASES}
    assert {case.name for case in CASES if case.breaks} <= set(known)
