"""Signed tokens: JSON Web Tokens (RFC 7519) in their compact form, signed with HMAC SHA-256 (HS256, RFC 7518 section 3.2).

Standard library only, since nodes verify them; one key signs and verifies, so whoever can verify can also sign. A token of ours says who
asks (``sub``), in which role, at which node (``aud``), from when to when (``iat``, ``exp``, seconds since the epoch) and which one of all
tokens it is (``jti``). It is good for one request.

The reader takes exactly what the writer makes: one algorithm, whatever the header asks for (RFC 8725 section 3.1), and every claim.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Ours have some 250 characters.
TOKEN_CHARS_MAX = 2048
_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_HEADER = {"alg": "HS256", "typ": "JWT"}


class Refused(ValueError):  # noqa: N818 - what happens to the token
    """Why a token is not accepted, in a few words that hold nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says. Times in seconds since the epoch."""

    sub: str
    role: str
    aud: str
    iat: float
    exp: float
    jti: str

    def fields(self) -> dict[str, Any]:
        """As they are written."""
        return {name: getattr(self, name) for name in self.__slots__}


def sign(claims: Claims, key: bytes) -> str:
    """The token."""
    return seal(_HEADER, claims.fields(), key)


def seal(header: Mapping[str, Any], fields: Mapping[str, Any], key: bytes) -> str:
    """Any header and any fields, with the signature of HS256 whatever the header says."""
    signed = f"{_encoded(_json(header))}.{_encoded(_json(fields))}"
    return f"{signed}.{_encoded(signature(signed, key))}"


def signature(signed: str, key: bytes) -> bytes:
    """Of the first two parts of a token."""
    return hmac.digest(key, signed.encode(), hashlib.sha256)


def parts(token: Any) -> tuple[dict[str, Any], dict[str, Any], str, bytes]:
    """(header, fields, what is signed, the signature), nothing of which has been verified. Raises Refused."""
    if not isinstance(token, str) or not token:
        raise Refused("there is no token")
    if len(token) > TOKEN_CHARS_MAX:
        raise Refused("the token is too long")
    pieces = token.split(".")
    if len(pieces) != 3:
        raise Refused("the token has not three parts")
    header, fields, sealed = pieces
    return _object(header), _object(fields), f"{header}.{fields}", _decoded(sealed) if sealed else b""


def claims_of(fields: Mapping[str, Any]) -> Claims:
    """Raises Refused if one is missing or of a wrong kind."""
    for name in ("sub", "role", "aud", "jti"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise Refused(f"the claim {name} is missing")
    for name in ("iat", "exp"):
        if isinstance(fields.get(name), bool) or not isinstance(fields.get(name), int | float):
            raise Refused(f"the claim {name} is missing")
    return Claims(**{name: fields[name] for name in Claims.__slots__})


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encoded(data: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    if not _PART.fullmatch(text):
        raise Refused("the token is not in base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Refused("the token is not in base64url") from None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(text))
    except (ValueError, RecursionError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("a part of the token is no JSON") from None
    if not isinstance(value, dict):
        raise Refused("a part of the token is no object")
    return value
