"""A server whose disk does not give back what was synced. It refuses to be one: no vote, no acknowledgement, no answer that may be wrong.

It cannot know what it has promised: to vote once in a term, to keep an entry that counted for a majority. Whoever went on with less would
break such a promise. So it stands aside until somebody gives it a new disk and another name; the others, a majority, go on.
"""

from __future__ import annotations

from typing import Any

from targets.kv.raft.node import Raft
from targets.kv.raft.requests import FIELDS
from targets.node import codes
from targets.node.env import Env, Message, Refusal
from targets.node.records import Damaged


class Refuser:
    """What clients get of such a server. Messages of the other servers have no handler here, and no answer."""

    def __init__(self, env: Env, damage: Damaged) -> None:
        self._why = f"the disk of this server is damaged: {damage}"
        env.log("damaged", why=str(damage))
        for kind in FIELDS:
            env.on(kind, self._refuse)

    def status(self) -> dict[str, Any]:
        return {"role": "damaged"}

    def _refuse(self, _message: Message) -> None:
        raise Refusal(codes.UNAVAILABLE, self._why)


def server(env: Env) -> Raft | Refuser:
    """The node program: a server, or one that refuses to be one."""
    try:
        return Raft(env)
    except Damaged as damage:
        return Refuser(env, damage)
