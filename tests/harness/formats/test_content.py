"""Large files are mapped: what is read of them, and what is said of broken ones, is the same."""

from __future__ import annotations

import gzip
from pathlib import Path
from unittest.mock import patch

import pytest

from harness.errors import HistoryError
from harness.formats import content, jsonl, load_history
from harness.formats.jsonl import Torn
from tests.harness.formats.test_tables_and_logs import CSV, LOG

LINES = "".join(
    f'{{"type":"{kind}","process":0,"f":"write","value":{n}}}\n' for n in range(300) for kind in ("invoke", "ok")
)
FILES = {
    "lines": LINES,
    "byte-order mark": "\ufeff" + LINES,
    "header": jsonl.HEADER.decode() + LINES,
    "array": "[" + LINES.strip().replace("\n", ",\n") + "]",
    "csv": CSV,
    "porcupine": LOG,
    "edn": "{:type :invoke, :process 0, :f :r}\n",
    "broken line": LINES + "{\n" + LINES,
    "broken byte": CSV.replace("words", "w\udcffrds"),
    "torn": LINES + '{"type":"inv',
    "blank": " \n",
}


def outcome(path: Path, torn: Torn) -> object:
    try:
        return load_history(path, torn=torn)
    except HistoryError as error:
        return str(error)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("torn", ["refuse", "truncate"])
@pytest.mark.parametrize("kind", FILES)
def test_a_map_reads_like_bytes(tmp_path: Path, kind: str, torn: Torn, packed: bool) -> None:
    path = tmp_path / "history"
    data = FILES[kind].encode(errors="surrogateescape")
    path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    whole = outcome(path, torn)
    with patch.object(content, "MAP_FROM_BYTES", 1), patch.object(jsonl, "BATCH_BYTES", 5000):
        assert outcome(path, torn) == whole
    assert isinstance(whole, str) == (
        kind in ("broken line", "broken byte", "blank") or (kind, torn) == ("torn", "refuse")
    )
