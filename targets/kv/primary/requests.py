"""Clients: Maelstrom's lin-kv requests and g-set's add, with a key; answered by the primary, handed on to it by the backups.

    read {key} → read_ok {value}      write {key, value} → write_ok      cas {key, from, to} → cas_ok      add {key, element} → add_ok

``client`` and ``seq`` beside them are the request's id. Which error is given is a matter of truth. 11 (definite) says that the request
certainly did not and never will take effect; 0 (indefinite) says that nobody knows. A request is handed on for one epoch: a copy of it
that comes when that is over is refused. The refusal is definite only if this node led that epoch in this life and never took a copy: what
it took may be in the log, and the answers to two copies may overtake each other.
"""

from __future__ import annotations

from targets.kv.primary.config import ReadsBy
from targets.kv.primary.reads import Reads
from targets.kv.primary.replica import Replica
from targets.kv.primary.shipping import Shipping
from targets.kv.primary.state import State
from targets.node import codes
from targets.node.env import Body, Message, Refusal

FIELDS = {
    "read": ("key",),
    "write": ("key", "value"),
    "cas": ("key", "from", "to"),
    "add": ("key", "element"),
}
# A primary remembers so many of the requests that were handed on to it in its epoch. A copy that comes later than that would have
# stayed in the network for minutes.
TAKEN_MAX = 10_000


class Requests:
    """The requests that this node has not answered yet."""

    def __init__(self, state: State, replica: Replica, shipping: Shipping) -> None:
        self._state, self._replica, self._shipping = state, replica, shipping
        self.reads = Reads(state, replica, shipping, self._answer)
        self._proposed: dict[int, Message] = {}  # index of the entry → request
        self._handed_on: dict[str, tuple[float, Message]] = {}  # id → (when, request), oldest first
        self._taken: dict[str, None] = {}  # ids of requests handed on to this node in the epoch that it led last
        self._led_epoch = -1

    # From clients

    def on_request(self, message: Message) -> Body | None:
        """A client's request. Raises Refusal."""
        state, body = self._state, message["body"]
        for field in ("msg_id", *FIELDS[body["type"]]):
            if field not in body:
                raise Refusal(codes.MALFORMED, f"a {body['type']} needs {field!r}")
        if isinstance(body["key"], dict | list):
            raise Refusal(codes.MALFORMED, "a key is a string, a number, true, false or null")
        if body["type"] == "read" and (state.config.reads is ReadsBy.ANY or state.bugs.backup_reads):
            return self._replica.machine.read(body["key"])
        if state.leads:
            self._serve(message, body)
        elif state.primary is None:
            raise Refusal(codes.UNAVAILABLE, "this node knows no primary")
        else:
            self._hand_on(message)
        return None

    def _serve(self, message: Message, body: Body) -> None:
        """Deal with ``body`` as the primary; ``message`` is what will be answered: the request itself, or what handed it on."""
        if body["type"] == "read":
            self.reads.ask(message, body["key"])
            return
        arguments = [body[field] for field in FIELDS[body["type"]]]
        command = [body["type"], *arguments, body.get("client"), body.get("seq")]
        self._proposed[self._shipping.propose(command)] = message

    # Between nodes

    def _hand_on(self, message: Message) -> None:
        state = self._state
        assert state.primary is not None
        now_s = state.env.monotonic()
        while self._handed_on:
            oldest = next(iter(self._handed_on))
            if self._handed_on[oldest][0] >= now_s - state.config.forward_max_s:
                break
            del self._handed_on[oldest]  # its client has long ceased to wait
        request_id = f"{message['src']}/{message['body'].get('msg_id')}"
        self._handed_on[request_id] = (now_s, message)
        body = {"type": "forward", "epoch": state.epoch, "id": request_id, "request": message["body"]}
        state.env.send(state.primary, body)

    def on_forward(self, message: Message) -> None:
        """A request that a backup hands on to this node as the primary of an epoch."""
        body, state = message["body"], self._state
        current = state.leads and body["epoch"] == state.epoch
        if body["epoch"] == self._led_epoch and body["id"] in self._taken:
            if not current:
                self._answer(message, _error(codes.TIMEOUT, "this node took the request, and was deposed"))
        elif current:
            self._taken[body["id"]] = None
            if len(self._taken) > TAKEN_MAX:
                del self._taken[next(iter(self._taken))]
            self._serve(message, body["request"])
        else:
            code = codes.UNAVAILABLE if body["epoch"] == self._led_epoch else codes.TIMEOUT
            self._answer(message, _error(code, "this node is not the primary of that epoch any more"))

    def on_forwarded(self, message: Message) -> None:
        """The primary's answer to a request that was handed on."""
        body = message["body"]
        _, request = self._handed_on.pop(body["id"], (0.0, None))
        if request is not None:
            self._state.env.reply(request, body["reply"])

    # What becomes of them

    def promoted(self) -> None:
        """This node is the primary of a new epoch."""
        self._taken, self._led_epoch = {}, self._state.epoch

    def applied(self, index: int, result: Body) -> None:
        """The entry at ``index`` was applied with that result."""
        request = self._proposed.pop(index, None)
        if request is not None:
            self._answer(request, result)

    def deposed(self) -> None:
        """This node is primary no more. What it proposed may yet be committed by another one, or never."""
        proposed, self._proposed = self._proposed, {}
        code = codes.UNAVAILABLE if self._state.bugs.doubt_denied else codes.TIMEOUT
        for request in proposed.values():
            self._answer(request, _error(code, "the primary was deposed before the write was safe"))
        for request in self.reads.abandon():
            self._answer(request, _error(codes.UNAVAILABLE, "the primary was deposed before the read was confirmed"))

    def primary_lost(self) -> None:
        """The primary that this node knew is none any more: what was handed on to it may have taken effect or not."""
        handed_on, self._handed_on = self._handed_on, {}
        for _, request in handed_on.values():
            self._state.env.reply(request, _error(codes.TIMEOUT, "the primary was lost before it answered"))

    def _answer(self, message: Message, result: Body) -> None:
        body = message["body"]
        if body["type"] == "forward":
            self._state.env.send(message["src"], {"type": "forwarded", "id": body["id"], "reply": result})
        else:
            self._state.env.reply(message, result)


def _error(code: int, text: str) -> Body:
    return {"type": "error", "code": code, "text": text}
