"""What a node keeps: the last value of each name, also over a checkpoint, and of what is put together all or nothing."""

from __future__ import annotations

import random

from targets.dsm.memory.kept import SPARE_RECORDS, Kept
from targets.kv.crdt.disk import JOURNAL
from tests.targets.dsm.world import Disk


def test_the_last_value_of_each_name_is_there_after_a_restart_however_many_were_put() -> None:
    disk, dice, last = Disk(), random.Random(1), dict[str, int]()
    kept, longest = Kept(disk), 0
    for count in range(3 * SPARE_RECORDS):
        name = f"page/{dice.randrange(20)}"
        kept.put({name: count})
        last[name] = count
        longest = max(longest, len(disk.files[JOURNAL]))
    assert len(disk.files[JOURNAL]) < longest  # a checkpoint has taken its place
    again = Kept(disk)
    assert dict(again.under("page/")) == {name.removeprefix("page/"): count for name, count in last.items()}
    assert again.get("page/99", "none") == "none"


def test_what_was_put_together_is_torn_together() -> None:
    disk = Disk()
    kept = Kept(disk)
    kept.put({"a": 1, "b": 1})
    kept.put({"a": 2, "b": 2})
    disk.files[JOURNAL] = disk.files[JOURNAL][:-1]
    again = Kept(disk)
    assert (again.get("a"), again.get("b")) == (1, 1)
