"""What clients ask: Maelstrom's lin-kv read and write, with contexts, and a deletion.

    read {key, least?} → read_ok {value, values, context}      write {key, value, context?} → write_ok {context}
    delete {key, context?} → delete_ok {context}

``values`` are all that stand side by side, ``value`` the only one, or null (none, or several). A ``context`` says what a client has
seen of a key: it comes with what was read or written, and a client gives it back unread. A write without one claims to have seen
nothing. ``least``: the answer must know what that context knows (a session that carries its own guarantees: Terry et al. 1994); if no
node that can be reached does, the read is refused.

11 (definite) says that nothing was written anywhere; 0 (indefinite) that some replicas may have it, and will pass it on.
"""

from __future__ import annotations

from targets.kv.dynamo.cells import Cell, Kind
from targets.kv.dynamo.config import Config
from targets.kv.dynamo.coordinator import Coordinator
from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal

FIELDS = {"read": ("key",), "write": ("key", "value"), "delete": ("key",)}


class Requests:
    """Every request is coordinated by the node that gets it."""

    def __init__(self, env: Env, config: Config, kind: Kind, coordinator: Coordinator) -> None:
        self._env, self._config, self._kind, self._coordinator = env, config, kind, coordinator

    def on_request(self, message: Message) -> None:
        """A client's request. Raises Refusal."""
        body = message["body"]
        for field in ("msg_id", *FIELDS[body["type"]]):
            if field not in body:
                raise Refusal(codes.MALFORMED, f"a {body['type']} needs {field!r}")
        if isinstance(body["key"], dict | list):
            raise Refusal(codes.MALFORMED, "a key is a string, a number, true, false or null")
        needed = self._config.r if body["type"] == "read" else self._config.w
        reachable = self._coordinator.reachable(body["key"])
        if reachable < needed:
            raise Refusal(codes.UNAVAILABLE, f"of the {needed} nodes that this needs {reachable} seem to be up")
        if body["type"] == "read":
            self._read(message)
        else:
            self._write(message)

    def _read(self, message: Message) -> None:
        def done(cell: Cell | None) -> None:
            values = [] if cell is None else self._kind.values(cell)
            answer = {"type": "read_ok", "value": values[0] if len(values) == 1 else None, "values": values}
            self._env.reply(message, {**answer, "context": None if cell is None else self._kind.context(cell)})

        def failed(why: str) -> None:
            self._env.reply(message, _error(codes.UNAVAILABLE, why))

        body = message["body"]
        self._coordinator.read(body["key"], body.get("least"), done, failed)

    def _write(self, message: Message) -> None:
        body = message["body"]

        def done(cell: Cell | None) -> None:
            context = None if cell is None else self._kind.context(cell)
            self._env.reply(message, {"type": f"{body['type']}_ok", "context": context})

        def failed(why: str) -> None:
            self._env.reply(message, _error(codes.TIMEOUT, why))

        self._coordinator.write(
            body["key"], body.get("context"), body.get("value"), dead=body["type"] == "delete", done=done, failed=failed
        )


def _error(code: int, text: str) -> Body:
    return {"type": "error", "code": code, "text": text}
