"""Who may ask a node for what: every request of a client is let in by its token, or refused and written into the log of intrusions.

The log is the node's own: a line with the event "intrusion", who sent the request, which request it was (if it says so) and why it was
refused; never the token. It is written before the refusal is sent. Nodes and the harness need no token: the world tells the runtime who
sent what (pipes and the simulator know it; on sockets, mutual TLS proves it, see ``tls``).

A token is accepted once. The node remembers those that it has seen until they have expired, in memory; after a restart it knows nothing
of them, and so accepts none that was issued before.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from targets.node import codes
from targets.node.env import Message, Refusal
from targets.node.flags import flags_named, names_of
from targets.node.tokens import Claims, Refused, claims_of, parts, signature

OFF, TOKENS, TLS = SECURITY = ("off", "tokens", "tls")
# A token is issued for one request, whose client waits for seconds at most: longer than that, it is nobody's.
LIFETIME_S = 10.0
# How far the clock of who issues tokens may be ahead of the node's.
LEEWAY_S = 0.5
READER, WRITER = "reader", "writer"
_ROLES: Mapping[str, tuple[str, ...]] = {READER: (READER,), WRITER: (READER, WRITER)}  # role → what it may do


@dataclass(frozen=True, slots=True, kw_only=True)
class Bugs:
    """Which rules this node breaks. A flag's name with dashes is the value of the option "bug"."""

    expiry_unchecked: bool = False  # a token is good for ever
    alg_none_accepted: bool = False  # a token whose header says that it is not signed need not be (RFC 8725, 2.1)
    signature_unchecked: bool = False  # whatever signature there is will do
    role_unchecked: bool = False  # a reader may write
    audience_unchecked: bool = False  # a token for another node is good here, too
    replay_cache_lost: bool = False  # after a restart, tokens of before are accepted again
    alarm_not_logged: bool = False  # an intruder is refused, and nobody told
    peer_certificate_unchecked: bool = False  # whoever speaks TLS is let in
    certificate_name_unchecked: bool = False  # who claims to be a node is believed
    plain_port_open: bool = False  # whoever does not speak TLS is let in, too
    handshake_not_logged: bool = False  # who fails to open a connection is forgotten

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Bugs:
        """The bug of these options if it is one of the guard's."""
        name = options.get("bug")
        return flags_named(cls, "the guard", name) if name in BUGS else cls()


BUGS = names_of(Bugs)


def role_for(type_: str) -> str:
    """The least role that may send requests of this type."""
    return READER if type_ == "read" else WRITER


class Guard:
    """``log`` is the node's; ``wall_time`` its own clock, which may be wrong. Until ``open`` nobody is let in."""

    def __init__(self, bugs: Bugs, wall_time: Callable[[], float], log: Callable[..., None]) -> None:
        self._bugs, self._wall_time, self._log = bugs, wall_time, log
        self._key: bytes | None = None
        self._node = ""
        self._began_s = 0.0
        self._seen: dict[str, float] = {}  # tokens that were used, and when they expire

    def open(self, node: str, key: bytes) -> None:
        """From now on the node ``node`` takes tokens that were signed with ``key``."""
        self._node, self._key, self._began_s = node, key, self._wall_time()

    def admit(self, message: Message) -> Message:
        """The same message without its token. Raises Refusal, having told the log."""
        body = message["body"]
        try:
            self._check(body)
        except Refused as refused:
            self.alarm(message["src"], str(refused), body)
            raise Refusal(codes.UNAUTHORIZED, str(refused)) from None
        return {**message, "body": {name: value for name, value in body.items() if name != "token"}}

    def alarm(self, by: str, why: str, body: Mapping[str, Any] | None = None) -> None:
        """Write into the log of intrusions."""
        if self._bugs.alarm_not_logged:
            return
        request = {"client": body["client"], "seq": body.get("seq")} if body and "client" in body else {}
        self._log("intrusion", by=by, why=why, **request)

    def _check(self, body: Mapping[str, Any]) -> None:
        if self._key is None:
            raise Refused("the node has no key yet")
        if "in_reply_to" in body:
            raise Refused("a client answers what it was not asked")
        claims = self._verified(body.get("token"), self._key)
        now_s = self._wall_time()
        if not self._bugs.audience_unchecked and claims.aud != self._node:
            raise Refused("the token is for another node")
        if claims.exp - claims.iat > LIFETIME_S:
            raise Refused("the token is good for too long")
        if now_s >= claims.exp and not self._bugs.expiry_unchecked:
            raise Refused("the token has expired")
        if claims.iat > now_s + LEEWAY_S:
            raise Refused("the token is of the future")
        self._check_role(claims, str(body["type"]))
        self._check_fresh(claims, now_s)

    def _verified(self, token: Any, key: bytes) -> Claims:
        header, fields, signed, sealed = parts(token)
        if self._bugs.alg_none_accepted and header.get("alg") == "none":
            return claims_of(fields)
        if header.get("alg") != "HS256" and not self._bugs.signature_unchecked:
            raise Refused("the token is not signed as ours are")
        if not hmac.compare_digest(sealed, signature(signed, key)) and not self._bugs.signature_unchecked:
            raise Refused("the signature is wrong")
        return claims_of(fields)

    def _check_role(self, claims: Claims, type_: str) -> None:
        if type_.startswith("sb_") or type_ == "init":
            raise Refused("no client may ask that")
        if role_for(type_) not in _ROLES.get(claims.role, ()) and not self._bugs.role_unchecked:
            raise Refused("the role may not do that")

    def _check_fresh(self, claims: Claims, now_s: float) -> None:
        if claims.iat < self._began_s and not (self._bugs.replay_cache_lost or self._bugs.expiry_unchecked):
            raise Refused("the token is older than the node's memory")
        if claims.jti in self._seen:
            raise Refused("the token has been used")
        while self._seen:  # the oldest are first, or nearly so: none stays for much longer than it is good
            oldest = next(iter(self._seen))
            if self._seen[oldest] > now_s:
                break
            del self._seen[oldest]
        self._seen[claims.jti] = claims.exp
