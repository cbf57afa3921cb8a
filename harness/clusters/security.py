"""Who issues tokens and keys to the nodes and clients of a run, if its target asks for security (option ``security``).

Keys are made per run and live in memory: nodes get theirs with ``init``, by the harness's own line. Nothing of them is written anywhere.
In the simulator the key follows from the seed, so that runs repeat.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness import clock
from harness.protocols import Body, Channel, ClusterSpec, RpcError
from targets.node import tokens
from targets.node.guard import LIFETIME_S, OFF, TLS, TOKENS, WRITER, role_for
from targets.node.tls import context_for

if TYPE_CHECKING:
    from harness.clusters.certificates import Certificates

# Of each node so many tokens that were used last are remembered, for whoever replays them.
USED_KEPT = 64


class Authority:
    """``wall_s`` is the clock that tokens are dated by."""

    def __init__(
        self, spec: ClusterSpec, wall_s: Callable[[], float] = clock.wall_s, *, simulated: bool = False
    ) -> None:
        self.mode = str(spec.options.get("security", OFF))
        self.wall_s = wall_s
        seeded = hashlib.sha256(f"splitbrain/{spec.seed}/tokens".encode()).digest()
        self.key = seeded if simulated else secrets.token_bytes(32)
        self.used: dict[str, deque[str]] = {node: deque(maxlen=USED_KEPT) for node in spec.nodes}
        self._issued = 0

    @property
    def signs(self) -> bool:
        """Whether requests carry tokens."""
        return self.mode != OFF

    def secrets(self, node: str) -> dict[str, Any]:
        """What ``init`` tells this node besides who is who."""
        if not self.signs:
            return {}
        found = {"token_key": base64.b64encode(self.key).decode()}
        if self.mode == TLS:
            found |= {"authority": self.certificates.authority, "certificate": self.certificates.nodes[node]}
        return {"secrets": found}

    @cached_property
    def certificates(self) -> Certificates:
        """Made when they are needed."""
        from harness.clusters.certificates import Certificates

        return Certificates(tuple(self.used))

    @cached_property
    def clients(self) -> ssl.SSLContext | None:
        """What an honest client's connections are made with; None for plain ones."""
        return context_for(self.certificates.authority, self.certificates.clients) if self.mode == TLS else None

    def claims(self, sub: str, node: str, role: str, **other: Any) -> tokens.Claims:
        """What a fresh token of this client for this node says, but for ``other`` claims."""
        self._issued += 1
        now_s = self.wall_s()
        fresh = {"sub": sub, "aud": node, "role": role, "iat": now_s, "exp": now_s + LIFETIME_S}
        return tokens.Claims(**{**fresh, "jti": f"{sub}/{self._issued}", **other})

    def channel(self, name: str, raw: Channel) -> Channel:
        """The line of an honest client: each request carries a token of its own."""
        return _Signed(self, name, raw) if self.signs else raw


class _Signed:
    """See ``Authority.channel``. A token says no more than the request needs, for the one node that it goes to."""

    def __init__(self, authority: Authority, name: str, raw: Channel) -> None:
        self._authority, self._name, self._raw = authority, name, raw

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        role = role_for(str(body["type"]))
        token = tokens.sign(self._authority.claims(self._name, node, role), self._authority.key)
        heard = False
        try:
            reply = await self._raw.rpc(node, {**body, "token": token}, timeout_s)
            heard = True
        except RpcError:
            heard = True
            raise
        finally:
            if heard and role == WRITER and node in self._authority.used:
                self._authority.used[node].append(token)
        return reply


def check(options: Mapping[str, Any], offered: tuple[str, ...]) -> str | None:
    """What is wrong with the option ``security`` on a cluster that offers these, in a sentence; None if nothing is."""
    mode = options.get("security", OFF)
    known = (OFF, *offered)
    if mode in known:
        return None
    also = "" if TOKENS in known else " (this cluster issues no tokens)"
    return f"the option security is {' or '.join(known)} on this cluster, not {mode!r}{also}"
