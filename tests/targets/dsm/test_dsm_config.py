"""The options of a node of a shared memory, each wrong one refused in a sentence, and where addresses lie."""

from __future__ import annotations

from typing import Any

import pytest

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.config import Config, Layout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"model": "moesi"}, "option model='moesi' is none of msi, mesi, release, store-buffer"),
        ({"page_size": 0}, "page_size must be 1 to 4096 locations, not 0"),
        ({"page_size": "many"}, "option page_size='many' must be a whole number"),
        ({"attempt_s": 2.0}, "0 < attempt_s <= patience_s"),
        ({"flush_s": -1}, "flush_s and copy_s of at least 0"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Config.of(options)


def test_an_unknown_bug_is_refused() -> None:
    with pytest.raises(ValueError, match="dsm has no seeded bug 'nonsense'"):
        Bugs.named("nonsense")


def test_neighbours_share_a_page_and_pages_go_round_the_nodes() -> None:
    layout = Layout(page_size=4, nodes=("n1", "n2", "n3"))
    assert [layout.place(address) for address in (0, 3, 4, 17)] == [(0, 0), (0, 3), (1, 0), (4, 1)]
    assert [layout.home(page) for page in range(4)] == ["n1", "n2", "n3", "n1"]
