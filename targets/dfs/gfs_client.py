"""The client of ``dfs/gfs``: it asks the active metadata server for names and places, and data nodes for data (GFS 2.3).

Operations are those of ``harness.files``. To read, a path is looked up anew each time, unless the file system has its clients go by what
they know for a while (``read_cache_s``). To write, they do (``cache_s``): who is primary no more refuses.

What an error reply proves stands in ``ERRORS``. Operations on names are asked once: without an answer they are info. Looking up, reading
and placing change nothing that anybody could miss, so they are tried again. So is an append, and then the record may stand twice: if no
attempt succeeded, it is a fail only if each was refused for good. A write that spans chunks is one write to each, one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from harness.files import ABSENT, CORRUPT, EXISTS
from harness.op import Op
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.dfs.gfs.content import RECORD_MAX, WORD, Content, appended, content, written
from targets.node import codes

# An attempt waits for this share of the operation's patience; to read, for less, since there are other replicas.
ATTEMPT_SHARE, READ_SHARE = 0.3, 0.1
READ_MAX = 16  # chunks that one request asks for
PAUSE_MIN_S, PAUSE_MAX_S = 0.02, 0.1
DAMAGED = "damaged"


class Verdict(Enum):
    """What an error reply says about the request that it answers."""

    NOT_HERE = "this attempt certainly did nothing; another one, perhaps elsewhere, may do better"
    ANSWER = "it certainly did nothing, and that is the answer"
    UNKNOWN = "it may have been carried out, or may yet be"


ERRORS: Mapping[int, Verdict] = {
    codes.UNAVAILABLE: Verdict.NOT_HERE,  # another server is active, another node is primary, too few replicas
    codes.NODE_NOT_FOUND: Verdict.NOT_HERE,
    codes.NOT_SUPPORTED: Verdict.NOT_HERE,  # a metadata server whose disk is damaged
    codes.KEY_MISSING: Verdict.ANSWER,
    codes.KEY_EXISTS: Verdict.ANSWER,
}
ANSWERS = {codes.KEY_MISSING: ABSENT, codes.KEY_EXISTS: EXISTS}


def verdict_of(code: int) -> Verdict:
    """What an error of this code says; of codes that no node sends, what the protocol says (``codes.is_definite``)."""
    return ERRORS.get(code, Verdict.NOT_HERE if codes.is_definite(code) else Verdict.UNKNOWN)


class _Failed(Exception):  # noqa: N818 - what happened, not whose fault it is
    """A request got no good answer. ``doubt``: it may have been carried out; ``answer``: it is final, and this is the word for it."""

    def __init__(self, why: str, *, doubt: bool = False, answer: str | None = None) -> None:
        super().__init__(why if answer is None else answer)
        self.doubt, self.answer = doubt, answer


class GfsClient:
    """Satisfies ``harness.protocols.Client``."""

    def __init__(self, seat: ClientSeat) -> None:
        self._seat = seat
        self._turn = seat.nodes.index(seat.node)  # the node to ask next who is active
        self._deadline_s = 0.0
        self._active: Body | None = None  # the answer to "whois"
        self._known: dict[tuple[str, Any], tuple[float, Body]] = {}  # what was looked up: until when it is believed
        self._operations = {
            "create": self._name,
            "delete": self._name,
            "rename": self._name,
            "list": self._list,
            "stat": self._stat,
            "append": self._append,
            "write": self._write,
            "read": self._read,
            "replicas": self._replicas,
        }

    async def invoke(self, op: Op) -> Op:
        """Carry out ``op``. Raises KeyError for an operation that it does not know."""
        self._deadline_s = self._now_s() + self._seat.timeout_s
        carry_out = self._operations[op.f]
        try:
            return op.ok(await carry_out(op))
        except _Failed as failed:
            return op.info(str(failed)) if failed.doubt else op.fail(str(failed))

    # Names

    async def _name(self, op: Op) -> None:
        await self._ask_active({"type": op.f, "path": op.key, "to": op.value}, once=True)

    async def _list(self, _op: Op) -> list[str]:
        paths: list[str] = (await self._ask_active({"type": "list"}))["paths"]
        return paths

    async def _stat(self, op: Op) -> dict[str, Any]:
        reply = await self._ask_active({"type": "stat", "path": op.key})
        return {"records": None, "replicas": reply["replicas"]}

    # Changing a file

    async def _append(self, op: Op) -> int:
        sizes = await self._whois()
        body = {"type": "append", "data": appended(_record(op.value), sizes["record_bytes"]).hex()}
        index, reply = await self._ask_primary(op.key, None, body)
        return int(index * sizes["chunk_bytes"] + reply["offset"])

    async def _write(self, op: Op) -> None:
        offset, record, length = op.value
        if offset % WORD or length % WORD:
            raise _Failed(f"offsets and lengths are multiples of {WORD}")
        size, end = (await self._whois())["chunk_bytes"], offset + length
        done = False
        while offset < end:
            index, within = divmod(offset, size)
            piece = written(_record(record), min(end - offset, size - within))
            try:
                await self._ask_primary(op.key, index, {"type": "write", "offset": within, "data": piece.hex()})
            except _Failed as failed:
                raise _Failed(str(failed), doubt=failed.doubt or done) from failed
            done = True
            offset += len(piece)

    async def _ask_primary(self, path: str, index: int | None, body: Body) -> tuple[int, Body]:
        """Have the primary of the file's chunk ``index`` (None: the last one) do what ``body`` says: its index, and the answer."""
        doubt, why, after, failed, file = False, "not sent", -1, None, None
        while self._left_s() > 0:
            try:
                place = await self._look_up("place", path, {"index": index, "after": after, "failed": failed}, index)
            except _Failed as problem:
                raise _Failed(str(problem), doubt=doubt, answer=None if doubt else problem.answer) from problem
            if doubt and place["file"] != file:  # where the record may stand already, it is not to stand elsewhere, too
                raise _Failed("the path has become another file", doubt=True)
            file = place["file"]
            try:
                request = {**body, "chunk": place["chunk"], "version": place["version"]}
                reply = await self._attempt(place["primary"], request, ATTEMPT_SHARE)
                if not reply.get("full"):
                    return place["index"], reply
                after, failed = place["index"] + 1, None
            except _Failed as problem:
                doubt, why, failed = doubt or problem.doubt, str(problem), [place["chunk"], place["version"]]
                await self._pause()
            self._known.pop((path, index), None)
        raise _Failed(why, doubt=doubt)

    # Reading a file

    async def _read(self, op: Op) -> Content:
        image = await self._whole(op.key, 0)
        return content(image)

    async def _replicas(self, op: Op) -> dict[str, Content]:
        """What the replicas hold. Chunks have theirs on different nodes: of a file of several, the first replicas of all chunks make one
        whole, the second ones another, as far as every chunk has one.
        """
        chunks = await self._chunks(op.key)
        count = min((len(nodes) for _, safe, nodes, _ in chunks if safe), default=0)
        if not count:
            raise _Failed("no live replica is known of some chunk")  # nobody has looked at any: that says nothing
        names = [f"replica {rank + 1} of each chunk" for rank in range(count)]
        if len(chunks) == 1:
            names = sorted(chunks[0][2])
        return {names[rank]: content(await self._whole(op.key, rank, chunks)) for rank in range(count)}

    async def _whole(self, path: str, rank: int, chunks: Sequence[Any] | None = None) -> bytes:
        """The bytes of the file: from any replicas; given its ``chunks``, from those of this rank alone. Raises _Failed."""
        size, why, exact = (await self._whois())["chunk_bytes"], "not sent", chunks is not None
        while self._left_s() > 0:
            sought = chunks if chunks is not None else await self._chunks(path)
            nodes = {chunk: self._order(holders, rank, exact=exact) for chunk, safe, holders, _ in sought if safe}
            found, damaged = await self._gather(nodes, {chunk: safe for chunk, safe, _, _ in sought})
            if len(found) == len(nodes):
                return b"".join(found.get(chunk, b"").ljust(size, b"\0") for chunk, *_ in sought)
            gone = any(_is_gone(chunk, damaged.get(chunk[0], 0)) for chunk in sought if chunk[0] not in found)
            why = CORRUPT if gone else "not all chunks could be read"
            self._known.pop((path, "chunks"), None)
            await self._pause()
        raise _Failed(why)

    def _order(self, holders: Sequence[str], rank: int, *, exact: bool) -> list[str]:
        nodes = sorted(holders)
        return nodes[rank : rank + 1] if exact else self._seat.rng.sample(nodes, len(nodes))

    async def _gather(
        self, nodes: Mapping[int, list[str]], safe: Mapping[int, int]
    ) -> tuple[dict[int, bytes], dict[int, int]]:
        """Each chunk's data from the first of its nodes that has them, and how many nodes said that theirs are damaged."""
        left = {chunk: list(order) for chunk, order in nodes.items()}
        found: dict[int, bytes] = {}
        damaged: dict[int, int] = {}
        while any(left.values()) and self._left_s() > 0:
            asked: dict[str, list[int]] = {}
            for chunk, order in left.items():
                if order:
                    asked.setdefault(order.pop(0), []).append(chunk)
            async with asyncio.TaskGroup() as tasks:  # no attempt raises
                replies = {
                    node: tasks.create_task(self._read_from(node, [[chunk, safe[chunk]] for chunk in chunks]))
                    for node, chunks in asked.items()
                }
            for node, chunks in asked.items():
                for chunk, got in zip(chunks, replies[node].result(), strict=True):
                    damaged[chunk] = damaged.get(chunk, 0) + (got.get("why") == DAMAGED)
                    if "data" in got:
                        found[chunk] = bytes.fromhex(got["data"])
                        left[chunk] = []
        return found, damaged

    async def _read_from(self, node: str, chunks: list[list[int]]) -> list[Body]:
        """What the node says of each of ``chunks``: a few at a time, so that a long file takes no more patience than a short one."""
        found: list[Body] = []
        while len(found) < len(chunks):
            body = {"type": "read", "chunks": chunks[len(found) : len(found) + READ_MAX]}
            try:
                found += (await self._attempt(node, body, READ_SHARE))["found"]
            except _Failed:
                found += [{"why": "no answer"}] * (len(chunks) - len(found))
        return found

    async def _chunks(self, path: str) -> list[Any]:
        chunks: list[Any] = (await self._look_up("look_up", path, {}, "chunks"))["chunks"]
        return chunks

    # Asking

    async def _look_up(self, kind: str, path: str, fields: Body, what: Any) -> Body:
        """What the active server, or the client's memory, says of the path. Raises _Failed."""
        until_s, known = self._known.get((path, what), (0.0, {}))
        if self._now_s() < until_s:
            return known
        reply = await self._ask_active({"type": kind, "path": path, **fields})
        self._known[path, what] = (self._now_s() + (await self._whois())[f"{kind}_s"], reply)
        return reply

    async def _ask_active(self, body: Body, *, once: bool = False) -> Body:
        """The answer of the active metadata server. ``once``: it is not asked again if it may have done it. Raises _Failed."""
        why = "not sent"
        while self._left_s() > 0:
            try:
                active = await self._whois()
                return await self._attempt(
                    active["active"], {**body, "epoch": active["epoch"]}, 1.0 if once else ATTEMPT_SHARE
                )
            except _Failed as failed:
                if failed.answer or (once and failed.doubt):
                    raise
                why = str(failed)
            self._active = None
            await self._pause()
        raise _Failed(why)

    async def _whois(self) -> Body:
        """Who is active, from any node that knows. Raises _Failed."""
        why = "not sent"
        while self._active is None:
            if self._left_s() <= 0:
                raise _Failed(why)
            node = self._seat.nodes[self._turn % len(self._seat.nodes)]
            self._turn += 1
            try:
                reply = await self._attempt(node, {"type": "whois"}, READ_SHARE)
                if reply["active"] is not None:
                    self._active = reply
                    break
                why = "no metadata server is active"
            except _Failed as failed:
                why = str(failed)
            await self._pause()
        return self._active

    async def _attempt(self, node: str, body: Body, share: float) -> Body:
        patience_s = max(0.0, min(self._seat.timeout_s * share, self._left_s()))
        try:
            return await self._seat.channel.rpc(node, body, patience_s)
        except NoAnswer as error:
            raise _Failed(f"{node}: no answer", doubt=True) from error
        except NotSent as error:
            raise _Failed(f"{node}: not sent ({error})") from error
        except RpcError as error:
            verdict = verdict_of(error.code)
            answer = ANSWERS.get(error.code, str(error)) if verdict is Verdict.ANSWER else None
            raise _Failed(f"{node}: {error}", doubt=verdict is Verdict.UNKNOWN, answer=answer) from error

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def _left_s(self) -> float:
        return self._deadline_s - self._now_s()

    async def _pause(self) -> None:
        await asyncio.sleep(min(self._seat.rng.uniform(PAUSE_MIN_S, PAUSE_MAX_S), max(0.0, self._left_s())))


def _is_gone(chunk: Sequence[Any], damaged: int) -> bool:
    """Whether nobody has a good replica of the chunk: the active server says so, or all that have one say that it is damaged."""
    _, safe, holders, lost = chunk
    return bool(safe and (lost or (holders and damaged == len(holders))))


def _record(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= RECORD_MAX:
        raise _Failed(f"a record is a whole number from 0 to {RECORD_MAX}, not {value!r}")
    return value
