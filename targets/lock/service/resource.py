"""What the locks protect: a file, say, that only one may write at a time. It lives on the last node, and knows nothing of the locks.

Fenced, it refuses a token that is smaller than one that it has seen: whoever shows it has lost its lock to somebody who has been here since
(Kleppmann 2016, How to do distributed locking). What it has seen is on its disk before it answers. Unfenced, it takes what comes.

It is no part of the quorum that keeps the locks. A holder may thus be cut off from the locks and reach the resource, as in a real system.
"""

from __future__ import annotations

import json
from typing import Any

from targets.lock.service.bugs import Bugs
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

FILE = "resource"


class Resource:
    """The files behind all locks: name → the greatest token seen."""

    def __init__(self, env: Env, *, fenced: bool, bugs: Bugs) -> None:
        self._storage = env.storage
        self._fenced = fenced and not bugs.token_not_checked
        self._seen: dict[str, int] = json.loads(env.storage.read(FILE) or b"{}")
        env.on("write", self._on_write)

    def _on_write(self, message: Message) -> Body:
        name, token = message["body"]["lock"], message["body"]["token"]
        seen = self._seen.get(name, 0)
        if self._fenced and token < seen:
            raise Refusal(codes.PRECONDITION, f"token {token} comes late: {seen} has been here")
        if token > seen:
            self._seen[name] = token
            self._storage.replace(FILE, json.dumps(self._seen).encode())
        return {"type": "write_ok"}

    def seen(self) -> dict[str, Any]:
        """Lock → the greatest token that was seen."""
        return dict(self._seen)
