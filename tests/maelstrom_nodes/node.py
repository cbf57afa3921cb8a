"""A Maelstrom node in Python without any library: ``node.py WORKLOAD [broken]``. Broken, it has the fault that ``BROKEN`` tells of.

The stores that must agree keep their state in the service lin-kv, as Maelstrom's own examples do; sets and counters spread by gossip.
Each request has a thread of its own, so that it may wait for others.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

Body = dict[str, Any]

PERIOD_S = 0.1  # of telling all others everything: what a broken link lost is made good so
PATIENCE_S = 1.0
TRIES = 30

BROKEN = {
    "echo": "every tenth answer is the one before",
    "unique-ids": "ids are counted, but do not name their node",
    "broadcast": "messages stay where they arrived",
    "g-set": "every tenth element is acknowledged and thrown away",
    "g-counter": "every tenth delta is counted twice",
    "pn-counter": "negative deltas are acknowledged and ignored",
    "lin-kv": "every node has a store of its own",
    "txn-list-append": "each micro-operation is carried out by itself, so that transactions see halves of others",
    "txn-rw-register": "every node reads from a store of its own, which hears of the writes of others late",
    "kafka": "every tenth message is given an offset and thrown away",
}


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """An error of the protocol."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Node:
    """The protocol: who I am, requests to others and their answers."""

    def __init__(self, *, broken: bool) -> None:
        self.broken, self.me, self.all = broken, "", []
        self.lock = threading.RLock()
        self._sent = 0
        self._waiting: dict[int, tuple[threading.Event, list[Body]]] = {}

    def send(self, dest: str, body: Body) -> None:
        line = json.dumps({"src": self.me, "dest": dest, "body": body})
        with self.lock:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    def ask(self, dest: str, body: Body) -> Body:
        """The answer. Raises Refusal."""
        arrived, answers = threading.Event(), []
        with self.lock:
            self._sent += 1
            number = self._sent
            self._waiting[number] = arrived, answers
        self.send(dest, {**body, "msg_id": number})
        if not arrived.wait(PATIENCE_S):
            raise Refusal(0, f"{dest} does not answer")
        if answers[0]["type"] == "error":
            raise Refusal(answers[0]["code"], answers[0].get("text", ""))
        return answers[0]

    def others(self) -> Iterator[str]:
        return (node for node in self.all if node != self.me)

    def run(self, workload: Any) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            body = message["body"]
            if "in_reply_to" in body:
                arrived, answers = self._waiting.pop(body["in_reply_to"], (threading.Event(), []))
                answers.append(body)
                arrived.set()
            elif body["type"] == "init":
                self.me, self.all = body["node_id"], body["node_ids"]
                self.send(message["src"], {"type": "init_ok", "in_reply_to": body["msg_id"]})
                if hasattr(workload, "tick"):
                    threading.Thread(target=self._tick, args=[workload], daemon=True).start()
            else:
                threading.Thread(target=self._handle, args=[workload, message], daemon=True).start()

    def _tick(self, workload: Any) -> None:
        pause = threading.Event()
        while not pause.wait(PERIOD_S):
            workload.tick()

    def _handle(self, workload: Any, message: Body) -> None:
        body = message["body"]
        handler: Callable[[Body], Body | None] = getattr(workload, f"on_{body['type']}", refuse)
        try:
            reply = handler(body)
        except Refusal as refusal:
            reply = {"type": "error", "code": refusal.code, "text": refusal.text}
        if "msg_id" in body:
            answer = {"type": f"{body['type']}_ok", **(reply or {}), "in_reply_to": body["msg_id"]}
            self.send(message["src"], answer)


def refuse(body: Body) -> Body:
    raise Refusal(10, f"no {body['type']} here")


class Echo:
    def __init__(self, node: Node) -> None:
        self.node, self.count, self.last = node, 0, None

    def on_echo(self, body: Body) -> Body:
        with self.node.lock:
            self.count += 1
            said = self.last if self.node.broken and self.count % 10 == 0 else body["echo"]
            self.last = body["echo"]
        return {"echo": said}


class UniqueIds:
    def __init__(self, node: Node) -> None:
        self.node, self.count = node, 0

    def on_generate(self, _body: Body) -> Body:
        with self.node.lock:
            self.count += 1
            return {"id": self.count if self.node.broken else f"{self.node.me}-{self.count}"}


class GrowSet:
    """g-set, and broadcast, which is the same in other words."""

    def __init__(self, node: Node) -> None:
        self.node, self.elements, self.neighbours, self.count = node, set[Any](), None, 0

    def on_topology(self, body: Body) -> None:
        self.neighbours = body["topology"][self.node.me]

    def on_broadcast(self, body: Body) -> None:
        with self.node.lock:
            self.elements.add(body["message"])

    def on_add(self, body: Body) -> None:
        with self.node.lock:
            self.count += 1
            if not (self.node.broken and self.count % 10 == 0):
                self.elements.add(body["element"])

    def on_merge(self, body: Body) -> None:
        with self.node.lock:
            self.elements |= set(body["elements"])

    def on_read(self, _body: Body) -> Body:
        with self.node.lock:
            return {"messages": [*self.elements]} if self.neighbours is not None else {"value": [*self.elements]}

    def tick(self) -> None:
        if self.node.broken and self.neighbours is not None:
            return
        with self.node.lock:
            elements = [*self.elements]
        for node in self.node.others() if self.neighbours is None else self.neighbours:
            self.node.send(node, {"type": "merge", "elements": elements})


class Counter:
    """Each node's own sum; what is known of the others' never goes back, since sums carry the number of their adds."""

    def __init__(self, node: Node) -> None:
        self.node, self.sums = node, dict[str, list[int]]()

    def on_add(self, body: Body) -> None:
        delta = body["delta"]
        with self.node.lock:
            count, total = self.sums.get(self.node.me, [0, 0])
            if self.node.broken:
                delta = 0 if delta < 0 else 2 * delta if sys.argv[1] == "g-counter" and count % 10 == 9 else delta
            self.sums[self.node.me] = [count + 1, total + delta]

    def on_merge(self, body: Body) -> None:
        with self.node.lock:
            for node, theirs in body["sums"].items():
                self.sums[node] = max(self.sums.get(node, [0, 0]), theirs)

    def on_read(self, _body: Body) -> Body:
        with self.node.lock:
            return {"value": sum(total for _, total in self.sums.values())}

    def tick(self) -> None:
        with self.node.lock:
            sums = dict(self.sums)
        for node in self.node.others():
            self.node.send(node, {"type": "merge", "sums": sums})


class LinKv:
    """A proxy of the service lin-kv."""

    def __init__(self, node: Node) -> None:
        self.node, self.own = node, dict[Any, Any]()

    def _forward(self, body: Body) -> Body:
        if not self.node.broken:
            request = {name: value for name, value in body.items() if name != "msg_id"}
            return {name: value for name, value in self.node.ask("lin-kv", request).items() if name == "value"}
        with self.node.lock:
            key = body["key"]
            if body["type"] != "write" and key not in self.own:
                raise Refusal(20, "no such key")
            if body["type"] == "read":
                return {"value": self.own[key]}
            if body["type"] == "cas" and self.own[key] != body["from"]:
                raise Refusal(22, "another value")
            self.own[key] = body["to"] if body["type"] == "cas" else body["value"]
            return {}

    on_read = on_write = on_cas = _forward


def change(node: Node, key: str, step: Callable[[Any], tuple[Any, Any]]) -> Any:
    """Change what the service lin-kv holds under ``key`` (None: nothing) by compare-and-set: ``step(value)`` → (new value, result)."""
    for _ in range(TRIES):
        try:
            value = node.ask("lin-kv", {"type": "read", "key": key})["value"]
        except Refusal as refusal:
            if refusal.code != 20:
                raise
            value = None
        after, result = step(value)
        if after == value:
            return result
        try:
            node.ask("lin-kv", {"type": "cas", "key": key, "from": value, "to": after, "create_if_not_exists": True})
        except Refusal as refusal:
            if refusal.code != 22:
                raise
        else:
            return result
    raise Refusal(30, "too many conflicts")


class Txn:
    """The whole database is one value: a transaction reads it, and puts another in its place if it is still the same."""

    def __init__(self, node: Node) -> None:
        self.node, self.seen = node, dict[str, Any]()

    def on_txn(self, body: Body) -> Body:
        if self.node.broken and sys.argv[1] == "txn-list-append":
            return {"txn": [self._alone(mop) for mop in body["txn"]]}
        done = change(self.node, "root", lambda db: carry_out(db, body["txn"]))
        if self.node.broken and sys.argv[1] == "txn-rw-register":
            with self.node.lock:
                own = dict(self.seen)
                for mop in done:
                    if mop[0] == "w":
                        own[str(mop[1])] = mop[2]
                    else:
                        mop[2] = own.get(str(mop[1]))
        return {"txn": done}

    def _alone(self, mop: list[Any]) -> list[Any]:
        """One micro-operation by itself, a while after the one before, so that others come in between."""
        threading.Event().wait(PERIOD_S)
        [done] = change(self.node, "root", lambda db: carry_out(db, [mop]))
        return list(done)

    def tick(self) -> None:
        with self.node.lock:
            late = getattr(self, "late", {})
        self.late = change(self.node, "root", lambda db: (db, db or {}))
        with self.node.lock:
            self.seen = late


def carry_out(db: Any, txn: list[list[Any]]) -> tuple[Any, list[list[Any]]]:
    """The database afterwards, and the completed transaction."""
    after, done = dict(db or {}), []
    for f, key, value in txn:
        name = str(key)
        if f == "r":
            done.append([f, key, after.get(name)])
            continue
        after[name] = [*after.get(name, []), value] if f == "append" else value
        done.append([f, key, value])
    return (after if after or db is not None else None), done


class Kafka:
    """Each log is a value of lin-kv, and so are the committed offsets."""

    def __init__(self, node: Node) -> None:
        self.node, self.count = node, 0

    def on_send(self, body: Body) -> Body:
        def step(log: Any) -> tuple[Any, int]:
            log = log or []
            return [*log, body["msg"]], len(log)

        with self.node.lock:
            self.count += 1
            lost = self.node.broken and self.count % 10 == 0
        if lost:  # its offset stays empty
            return {
                "offset": change(self.node, f"log/{body['key']}", lambda log: ([*(log or []), None], len(log or [])))
            }
        return {"offset": change(self.node, f"log/{body['key']}", step)}

    def on_poll(self, body: Body) -> Body:
        found = {}
        for key, offset in body["offsets"].items():
            log = change(self.node, f"log/{key}", lambda log: (log, log or []))
            messages = [[at, message] for at, message in enumerate(log) if at >= offset and message is not None]
            if messages:
                found[key] = messages[:10]
        return {"msgs": found}

    def on_commit_offsets(self, body: Body) -> None:
        for key, offset in body["offsets"].items():
            change(self.node, f"commit/{key}", lambda old, offset=offset: (max(offset, old or 0), None))

    def on_list_committed_offsets(self, body: Body) -> Body:
        found = {key: change(self.node, f"commit/{key}", lambda old: (old, old)) for key in body["keys"]}
        return {"offsets": {key: offset for key, offset in found.items() if offset is not None}}


WORKLOADS: dict[str, Callable[[Node], Any]] = {
    "echo": Echo,
    "unique-ids": UniqueIds,
    "broadcast": GrowSet,
    "g-set": GrowSet,
    "g-counter": Counter,
    "pn-counter": Counter,
    "lin-kv": LinKv,
    "txn-list-append": Txn,
    "txn-rw-register": Txn,
    "kafka": Kafka,
}

if __name__ == "__main__":
    node = Node(broken="broken" in sys.argv)
    node.run(WORKLOADS[sys.argv[1]](node))
