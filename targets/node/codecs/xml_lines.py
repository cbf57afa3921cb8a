r"""XML, one document a line, in the manner of XML-RPC:

    <message src="c1" dest="n2"><map><text name="type">read</text><int name="key">3</int></map></message>

A value is one of map, list, text, int, real, true, false, null; within a map each has a name. A text that XML 1.0 cannot hold (control
characters) is written with JSON's escapes, and says so: ``<text json="1">\u0000</text>``; a name likewise, as ``json-name``.

The reader takes these elements and nothing else of XML: no document type, hence no entities beyond the five that XML has by itself and
nothing to expand or to fetch; no comments, no instructions, no sections.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn
from xml.parsers import expat

from targets.node.codecs.limits import (
    DEPTH_MAX,
    DIGITS_MAX,
    Malformed,
    check_message,
    check_size,
    finite,
    named,
    too_deep,
)

# Characters that an XML 1.0 document may hold, section 2.2.
_UNHEARD = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(rf"-?\d{{1,{DIGITS_MAX}}}", re.ASCII)
_REAL = re.compile(r"-?\d{1,400}(\.\d{1,400})?(e[+-]?\d{1,4})?", re.ASCII)
# Whitespace is written by number, or a line would end and an attribute would be normalised (section 3.3.3).
_MARKUP = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_MESSAGE, _MAP, _LIST, _TEXT, _INTEGER, _NUMBER = "message", "map", "list", "text", "int", "real"
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
_EMPTY = {True: "<true%s/>", False: "<false%s/>"}


def encode(message: Mapping[str, Any]) -> bytes:
    """See ``codecs``."""
    parts = [f"<message{_attribute('src', message['src'])}{_attribute('dest', message['dest'])}>"]
    _write(message["body"], "", parts)
    parts.append("</message>")
    return "".join(parts).encode()


def _write(value: Any, name: str, parts: list[str]) -> None:
    """``name`` is the attribute that names the value within its map, or nothing."""
    if isinstance(value, str):
        if _UNHEARD.search(value):
            parts.append(f'<text{name} json="1">{_escaped(value)}</text>')
        else:
            parts.append(f"<text{name}>{value.translate(_MARKUP)}</text>")
    elif isinstance(value, bool):
        parts.append(_EMPTY[value] % name)
    elif value is None:
        parts.append(f"<null{name}/>")
    elif isinstance(value, int):
        parts.append(f"<int{name}>{int(value)}</int>")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is no number of a message")
        parts.append(f"<real{name}>{float(value)!r}</real>")
    elif isinstance(value, dict):
        parts.append(f"<map{name}>")
        for key, item in value.items():
            _write(item, _attribute("name", named(key)), parts)
        parts.append("</map>")
    elif isinstance(value, list | tuple):
        parts.append(f"<list{name}>")
        for item in value:
            _write(item, "", parts)
        parts.append("</list>")
    else:
        raise TypeError(f"{type(value).__name__} is no value of a message")


def _attribute(name: str, text: str) -> str:
    if _UNHEARD.search(text):
        return f' json-{name}="{_escaped(text)}"'
    return f' {name}="{text.translate(_MARKUP)}"'


def _escaped(text: str) -> str:
    text.encode()  # raises ValueError for half a character
    return json.dumps(text)[1:-1].translate(_MARKUP)


def decode(line: bytes) -> dict[str, Any]:
    """See ``codecs``."""
    check_size(line)
    reader = _Reader()
    try:
        reader.parser.Parse(line, True)
    except expat.ExpatError as error:
        raise Malformed(f"it is no XML: {error}") from None
    return check_message(reader.message)


class _Reader:
    """What has been read of one document."""

    def __init__(self) -> None:
        self.message: dict[str, Any] | None = None
        self.parser = parser = expat.ParserCreate("utf-8")  # whatever the document says of itself
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = lambda *_: _refuse("a document type")
        parser.EntityDeclHandler = lambda *_: _refuse("an entity")
        parser.ProcessingInstructionHandler = lambda *_: _refuse("an instruction")
        parser.CommentHandler = lambda *_: _refuse("a comment")
        parser.StartCdataSectionHandler = lambda: _refuse("a section")
        self._open: list[tuple[str, dict[str, str], Any]] = []  # elements that have begun: kind, attributes, content

    def _start(self, kind: str, attributes: dict[str, str]) -> None:
        if len(self._open) > DEPTH_MAX:
            raise too_deep()
        if (kind == _MESSAGE) != (not self._open):
            raise Malformed(f"an element {kind!r} stands where none may be")
        if kind not in _CONTENTS:
            raise Malformed(f"no element is called {kind!r}")
        self._open.append((kind, attributes, _CONTENTS[kind]()))

    def _characters(self, text: str) -> None:
        kind, _, content = self._open[-1]
        if kind not in (_TEXT, _INTEGER, _NUMBER):
            raise Malformed(f"text stands in an element {kind!r}")
        content.append(text)

    def _end(self, kind: str) -> None:
        _, attributes, content = self._open.pop()
        if kind == _MESSAGE:
            if len(content) != 1:
                raise Malformed(f"the message has {len(content)} bodies")
            self.message = {
                "src": _named(attributes, "src"),
                "dest": _named(attributes, "dest"),
                "body": content[0],
            }
            return
        outer, _, around = self._open[-1]
        value = _value(kind, attributes, content)
        if outer == _MAP:
            around[_named(attributes, "name")] = value
        elif outer in (_LIST, _MESSAGE):
            around.append(value)
        else:
            raise Malformed(f"an element {kind!r} stands in an element {outer!r}")


_CONTENTS: Mapping[str, Any] = {
    _MAP: dict,
    **dict.fromkeys((_MESSAGE, _LIST, _TEXT, _INTEGER, _NUMBER, *_CONSTANTS), list),
}


def _refuse(what: str) -> NoReturn:
    raise Malformed(f"the document has {what}, and a message has none")


def _value(kind: str, attributes: Mapping[str, str], content: Any) -> Any:
    if kind in _CONSTANTS:
        return _CONSTANTS[kind]
    if kind in (_MAP, _LIST):
        return content
    text = "".join(content)
    if kind == _TEXT:
        return _unescaped(text) if attributes.get("json") == "1" else text
    if not (_INT if kind == _INTEGER else _REAL).fullmatch(text):
        raise Malformed(f"{text[:40]!r} is no {kind}")
    return int(text) if kind == _INTEGER else finite(float(text))


def _named(attributes: Mapping[str, str], name: str) -> str:
    if name in attributes:
        return attributes[name]
    if f"json-{name}" in attributes:
        return _unescaped(attributes[f"json-{name}"])
    raise Malformed(f"an element lacks its {name}")


def _unescaped(text: str) -> str:
    try:
        value = json.loads(f'"{text}"')
    except ValueError:
        raise Malformed(f"{text[:40]!r} has wrong escapes") from None
    assert isinstance(value, str)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Malformed("a text holds half of a character")
    return value
