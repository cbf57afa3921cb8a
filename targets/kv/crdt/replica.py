"""One node's state: its collections, the requests that it has carried out, and a digest by which two nodes see where they differ.

What a client is told is on the disk first. What peers have told is written, too, but synced only with the next update of a client: it comes
from a disk elsewhere, and gossip brings it again. So a number that a node alone increases is never seen smaller by anyone.

The digest: entries fall into buckets by a hash of their names, and a bucket's digest is the exclusive or of its entries' hashes, so that
a change costs two hashes. (Hashes by BLAKE2: with a CRC, which is linear, the digests of {10, 21} and {11, 20} would be equal.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from targets.kv.crdt.bugs import Bugs
from targets.kv.crdt.config import Config
from targets.kv.crdt.disk import Disk
from targets.kv.crdt.lattices import LATTICES, Lattice, Scene, part_of
from targets.node import codes
from targets.node.env import Body, Env, Refusal

BUCKETS = (
    512  # of which a run of a minute fills each with a few entries: what differs is found without sending much else
)
DIGEST_BYTES = 6  # as a number it stays exact in JSON (below 2**53)

Entry = list[Any]  # [key, part, entry]: key and part are JSON texts
Digest = list[int]


class Replica:
    """What its storage holds when it is made is what it knows. ``fresh`` are the entries that changed since somebody last emptied it."""

    def __init__(self, env: Env, config: Config, bugs: Bugs) -> None:
        if config.data not in LATTICES:
            raise ValueError(f"option data={config.data!r}: known are {', '.join(LATTICES)}")
        self.lattice: Lattice = LATTICES[config.data]
        self._env, self._config, self._bugs = env, config, bugs
        self._disk = Disk(env.storage, torn_tail_kept=bugs.torn_tail_kept)
        self._collections: dict[str, dict[str, Any]] = {}
        self._digest: Digest = [0] * BUCKETS
        # Per bucket: the names (key, part) of its entries → hash of the entry.
        self._buckets: list[dict[tuple[str, str], int]] = [{} for _ in range(BUCKETS)]
        self._done: dict[str, None] = {}  # request ids, oldest first
        self._tags = 0
        self.fresh: dict[tuple[str, str], None] = {}
        self._recover()
        self.fresh.clear()

    # For clients

    def update(self, body: Body, request: str) -> None:
        """Carry out the update that ``body`` asks for, unless ``request`` has been carried out before. Raises Refusal."""
        if request in self._done and not self._bugs.retry_counted_twice:
            return
        key = part_of(body.get("key"))
        tags = self._tags + 1
        scene = Scene(
            node=self._env.node_id,
            tag=f"{self._env.node_id}.{tags}",
            wall_s=self._env.wall_time(),
            bugs=self._bugs,
        )
        there = self._collections.get(key, {})
        made = self.lattice.updates[body["type"]](there, body, scene)
        entries = [[key, part, entry] for part, entry in made.items()]
        self._tags = tags
        self._remember(request)
        for entry in entries:
            self._own(*entry)
        self._disk.append({"entries": entries, "request": request, "tags": tags})
        if not self._bugs.ack_before_sync:
            self._disk.sync()
        self._grown()

    def read(self, key: Any) -> Any:
        """What a read of the collection ``key`` shows."""
        if isinstance(key, dict | list):
            raise Refusal(codes.MALFORMED, "a key is a string, a number, true, false or null")
        return self.lattice.shown(self._collections.get(part_of(key), {}), self._bugs)

    # For peers

    def merge(self, entries: Iterable[Entry]) -> int:
        """Join what a peer has told; how many entries that changed. They are fresh now: others may not know them either."""
        changed = [
            [key, part, self._collections[key][part]] for key, part, came in entries if self._join(key, part, came)
        ]
        if changed:
            self._disk.append({"entries": changed})
            self._grown()
        return len(changed)

    def digest(self) -> Digest:
        """What this node has, in BUCKETS numbers."""
        if self._bugs.digest_by_count:
            return [sum(map(len, self._collections.values()))] * BUCKETS
        return list(self._digest)

    def differing(self, digest: Digest) -> list[int]:
        """The buckets in which this node and one with ``digest`` do not have the same."""
        return [bucket for bucket, (one, other) in enumerate(zip(self.digest(), digest, strict=True)) if one != other]

    def within(self, buckets: Iterable[int]) -> list[Entry]:
        """The entries in these buckets."""
        return [self.entry(*name) for bucket in buckets for name in self._buckets[bucket]]

    def entry(self, key: str, part: str) -> Entry:
        """The entry of that name, as peers are told it."""
        entry = self._collections[key][part]
        if self._bugs.removes_untold:
            entry = [entry[0], []]
        return [key, part, entry]

    def status(self) -> dict[str, Any]:
        return {
            "entries": sum(map(len, self._collections.values())),
            "journal": self._disk.records,
            "requests": len(self._done),
        }

    # Within

    def _own(self, key: str, part: str, entry: Any) -> None:
        """Join an entry that this node has made itself."""
        if self._bugs.one_map or self._bugs.merged_by_sum or self._bugs.merged_last_writer:
            self._place(key, part, entry)  # whose join would not take it for what it is
        else:
            self._join(key, part, entry)

    def _join(self, key: str, part: str, came: Any) -> bool:
        collection = self._collections.setdefault(key, {})
        there = collection.get(part)
        joined = came if there is None else self.lattice.join(there, came, self._bugs)
        if joined == there:
            return False
        self._place(key, part, joined)
        return True

    def _place(self, key: str, part: str, entry: Any) -> None:
        self._collections.setdefault(key, {})[part] = entry
        bucket, new = _hash(key, part) % BUCKETS, _hash(key, part, part_of(entry))
        hashes = self._buckets[bucket]
        self._digest[bucket] ^= hashes.get((key, part), 0) ^ new
        hashes[key, part] = new
        self.fresh[key, part] = None

    def _remember(self, request: str) -> None:
        self._done[request] = None
        if len(self._done) > self._config.requests_max:
            del self._done[next(iter(self._done))]

    def _grown(self) -> None:
        if self._disk.records >= self._config.checkpoint_records:
            self._disk.checkpoint(self._dump())

    def _dump(self) -> Mapping[str, Any]:
        entries = [[key, part, entry] for key, parts in self._collections.items() for part, entry in parts.items()]
        if self._bugs.checkpoint_of_peers:
            entries = [[key, part, entry] for key, part, entry in entries if part != self._env.node_id]
        if self._bugs.tombstones_dropped:
            entries = [[key, part, [added, []]] for key, part, (added, _) in entries]
        return {"entries": entries, "requests": list(self._done), "tags": self._tags}

    def _recover(self) -> None:
        saved, records = self._disk.recover()
        state = saved or {"entries": [], "requests": [], "tags": 0}
        for entry in state["entries"]:
            self._place(*entry)
        self._done, self._tags = dict.fromkeys(state["requests"]), state["tags"]
        for record in records:
            for entry in record["entries"]:
                # Own records hold what the operation gave, those of peers what came of the join: both may be joined again.
                self._own(*entry)
            if "request" in record:
                self._remember(record["request"])
                self._tags = record["tags"]
        if self._bugs.tag_reuse:
            self._tags = 0


def _hash(*texts: str) -> int:
    digest = hashlib.blake2b("\n".join(texts).encode(), digest_size=DIGEST_BYTES)
    return int.from_bytes(digest.digest(), "big")
