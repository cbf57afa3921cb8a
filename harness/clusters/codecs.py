"""How the harness's end of the wire reads and writes messages: compiled for JSON, the nodes' own code for the other codecs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.protocols import Body
from targets.node.codecs import DEFAULT, Malformed, codec_named


class _Frame(msgspec.Struct):
    """A message as a router reads it: the body stays as it is until somebody needs it."""

    src: str
    dest: str
    body: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Wire:
    """``encode`` a message as one line without its end. ``frame`` reads a line as (src, dest, what ``body`` makes the body of): both raise
    Malformed.
    """

    encode: Callable[[Mapping[str, Any]], bytes]
    frame: Callable[[bytes], tuple[str, str, Any]]
    body: Callable[[Any], Body]


_decode_frame = msgspec.json.Decoder(_Frame).decode
_decode_body = msgspec.json.Decoder(dict[str, Any]).decode


def _json_frame(line: bytes) -> tuple[str, str, Any]:
    try:
        frame = _decode_frame(line)
    except msgspec.MsgspecError as error:
        raise Malformed(str(error)) from None
    return frame.src, frame.dest, frame.body


def _json_body(raw: Any) -> Body:
    try:
        return _decode_body(raw)
    except msgspec.MsgspecError as error:
        raise Malformed(str(error)) from None


def _whole(body: Any) -> Body:
    found: Body = body
    return found


JSON = Wire(msgspec.json.Encoder().encode, _json_frame, _json_body)


def wire(options: Mapping[str, Any]) -> Wire:
    """Of a run with these options. Raises ValueError for a codec that there is not."""
    name = options.get("codec", DEFAULT)
    if name == DEFAULT:
        return JSON
    codec = codec_named(name)

    def frame(line: bytes) -> tuple[str, str, Any]:
        message = codec.decode(line)
        return message["src"], message.get("dest", ""), message["body"]

    return Wire(codec.encode, frame, _whole)
