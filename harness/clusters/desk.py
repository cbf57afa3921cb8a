"""The harness's own line to the nodes, past the network: JSON objects on lines, in on standard input, out on standard output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from harness.clusters.channels import Line
from harness.clusters.starts import HARNESS
from harness.errors import SplitbrainError, TargetError
from harness.protocols import Body
from targets.node import codes

LINE_SHOWN = 200  # how much of a line that is no message an error shows

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Desk:
    """``write(node, line)`` sends a line to a node, or drops it. What a node says that is no message ends the run."""

    def __init__(self, target: str, write: Callable[[str, bytes], None]) -> None:
        self._target, self._write = target, write
        self._line = Line(self.hand_over)
        self.trouble: SplitbrainError | None = None  # why nothing that the nodes say can be judged any more

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        """The reply, errors included; None if none came in time, or the node has ended."""
        return await self._line.ask(node, body, timeout_s)

    def hand_over(self, name: str, body: Body) -> None:
        """From the harness to a node."""
        self._write(name, _encode({"src": HARNESS, "dest": name, "body": body}) + b"\n")

    def received(self, node: str, line: bytes) -> None:
        """A line that a node wrote: for the harness, or for nobody."""
        try:
            message = _decode(line)
            src, dest, body = message["src"], message["dest"], message["body"]
        except (msgspec.MsgspecError, KeyError) as error:
            self.babbled(node, line, f" ({error})")
            return
        if src != node or not isinstance(body, dict):
            self._refuse(node, f"wrote a message that is not its own: {_shown(line)}")
        elif dest == HARNESS:
            self._line.deliver(body)
        elif "msg_id" in body:
            refusal = {"type": "error", "code": codes.NODE_NOT_FOUND, "text": f"nobody is called {dest!r}"}
            self.hand_over(src, {**refusal, "in_reply_to": body["msg_id"]})

    def babbled(self, node: str, line: bytes, why: str = "") -> None:
        """The node does not speak the protocol. The run ends at its next question."""
        self._refuse(node, f"wrote a line that is no message{why}: {_shown(line)}")

    def _refuse(self, node: str, why: str) -> None:
        self.report(TargetError(f"node {node} of {self._target} broke the protocol: it {why}"))
        self.hang_up(node)

    def report(self, trouble: SplitbrainError) -> None:
        """From now on the run cannot be judged; the first word counts."""
        if self.trouble is None:
            self.trouble = trouble

    def hang_up(self, node: str) -> None:
        """The node has ended: whoever waits for an answer from it gets none."""
        self._line.hang_up(node)

    def check(self) -> None:
        """Raises what has been reported."""
        if self.trouble is not None:
            raise self.trouble


def _shown(line: bytes) -> str:
    return repr(line[:LINE_SHOWN].decode(errors="replace"))
