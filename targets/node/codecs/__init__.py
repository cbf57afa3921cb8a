"""How messages are written on the wire: one line each, in JSON (Maelstrom's protocol), XML or Protocol Buffers. Standard library only.

A codec is a pair of pure functions between a message {src, dest, body} and one line of bytes without a newline. Whichever is chosen, the
transport is the same, and so is what arrives: ``decode(encode(message))`` is what JSON would have made of it. All that a stranger may send
is either a message or ``Malformed`` with one sentence: never another exception, never work or memory beyond what its length explains.

    limits                                   sizes, depth, and the one error
    json_lines xml_lines protobuf_lines      the codecs, each imported when it is chosen
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from targets.node.codecs.limits import Malformed

__all__ = ["CODECS", "DEFAULT", "Codec", "Malformed", "codec_named"]


class Codec(NamedTuple):
    """``encode`` raises TypeError or ValueError for what is no JSON value; ``decode`` raises Malformed."""

    encode: Callable[[Mapping[str, Any]], bytes]
    decode: Callable[[bytes], dict[str, Any]]


DEFAULT = "json"
CODECS: Mapping[str, str] = {
    "json": "targets.node.codecs.json_lines",
    "xml": "targets.node.codecs.xml_lines",
    "protobuf": "targets.node.codecs.protobuf_lines",
}


def codec_named(name: Any) -> Codec:
    """The codec of that name. Raises ValueError, naming those that there are."""
    if not isinstance(name, str) or name not in CODECS:
        raise ValueError(f"no codec is called {name!r}: known are {', '.join(CODECS)}")
    module = import_module(CODECS[name])
    return Codec(module.encode, module.decode)
