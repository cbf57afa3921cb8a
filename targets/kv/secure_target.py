"""``kv/tokens`` and ``kv/mtls``: the Raft store of which every request must carry a signed token, and the same with mutual TLS between all.

The node program is that of ``kv/raft``: it is the runtime that asks for tokens and certificates, of the clients and nodes of any target,
with the option ``security=tokens`` or ``security=tls`` (``targets.node.guard``, ``targets.node.tls``). TLS takes sockets, so that the
second has no simulator: it runs on ``local`` and ``docker``.
"""

from __future__ import annotations

from typing import Any

from harness.protocols import Bug, Claim, Target
from targets.kv.target import RAFT

# Without clocks that are wrong: tokens expire by wall clocks (see the claims).
BORNE = ("partition", "packet", "kill", "pause", "power", "impostor")
TOPIC = "authentication"
SHORT: dict[str, Any] = {"time_limit_s": 20.0, "rate": 40.0, "interval_s": 2.0}
_JWT = "RFC 8725, JSON Web Token Best Current Practices, section"


def _bug(name: str, summary: str, source: str, *faults: str, **settings: Any) -> Bug:
    return Bug(
        name=name,
        summary=summary,
        checker="security",
        faults=("impostor", *faults),
        source=source,
        settings={**SHORT, **settings},
    )


TOKEN_BUGS = (
    _bug("expiry-unchecked", "a token that has expired is accepted", "RFC 7519, section 4.1.4"),
    _bug("alg-none-accepted", "a token that says of itself that it is not signed is believed", f"{_JWT} 2.1"),
    _bug("signature-unchecked", "the signature of a token is not compared with what it signs", f"{_JWT} 2.3"),
    _bug("role-unchecked", "whoever may read may also write", "OWASP Top Ten 2021, A01: broken access control"),
    _bug("audience-unchecked", "a token that was issued for another node is accepted", f"{_JWT} 3.9"),
    _bug(
        "replay-cache-lost",
        "a node that restarts accepts tokens again that were used before",
        "RFC 7519, section 4.1.7: jti prevents replay",
        "kill",
    ),
    _bug(
        "alarm-not-logged", "an intruder is refused, and nothing is logged", "OWASP Top Ten 2021, A09: logging failures"
    ),
)
# The clock of every node is set back by as much as tokens are old that the impostor tries; and late, since a node accepts none that is
# older than itself.
SET_BACK = (
    {
        "kind": "clock",
        "start_s": 14.0,
        "end_s": 22.0,
        "args": {"shape": "bump", "offset_s": -15.0, "nodes": ["n1", "n2", "n3", "n4", "n5"]},
    },
    {"kind": "impostor", "start_s": 15.0, "end_s": 21.0, "args": {"attempts": ["expired-token"], "per_s": 50}},
)


def _claim(name: str, statement: str, source: str, *, breaks: bool = False, **other: Any) -> Claim:
    return Claim(
        name=name,
        topic=TOPIC,
        statement=statement,
        model="authentication",
        workload="register",
        source=source,
        violates=("let-in", "unauthorized-write") if breaks else (),
        **{"faults": BORNE, "settings": SHORT, **other},
    )


EXPIRY_FALLS = _claim(
    "expiry-falls-to-a-clock-that-is-set-back",
    "A node whose clock is set back accepts tokens that have expired: tokens are as good as clocks are.",
    "RFC 7519, section 4.1.4: exp",
    breaks=True,
    faults=("clock", "impostor"),
    settings={"time_limit_s": 24.0, "rate": 20.0, "schedule": SET_BACK},
)
TOKEN_CLAIMS = (
    _claim(
        "impostors-stay-outside",
        "No request without a good token has any effect, and each is in a log of intrusions, whatever fails but clocks.",
        "RFC 7519; RFC 8725",
    ),
    EXPIRY_FALLS,
)

KV_TOKENS = Target(
    name="kv/tokens",
    summary="the Raft store, of which every request must carry a signed token (JWT) with expiry and role",
    program=RAFT.program,
    client=RAFT.client,
    workloads=RAFT.workloads,
    roles=RAFT.roles,
    bugs=TOKEN_BUGS,
    claims=TOKEN_CLAIMS,
    faults=BORNE,
    options={"security": "tokens"},
)

TLS_BUGS = (
    _bug(
        "peer-certificate-unchecked",
        "whoever speaks TLS is let in, with whatever certificate or none",
        "Georgiev et al., CCS'12: the most dangerous code in the world",
    ),
    _bug(
        "certificate-name-unchecked",
        "a client that calls itself a node is believed, and needs no token",
        "RFC 9525: the name in the certificate must be that of whoever speaks",
    ),
    _bug("plain-port-open", "whoever does not speak TLS is served, too", "RFC 9325, section 3.2: strict TLS"),
    _bug(
        "handshake-not-logged",
        "who fails to open a connection is cut off, and nothing is logged",
        "OWASP Top Ten 2021, A09: logging failures",
    ),
)

TLS_CLAIMS = (
    _claim(
        "impostors-stay-outside",
        "Nobody without our certificate and a good token has any effect, and each is in a log of intrusions, whatever fails but clocks.",
        "RFC 8446; RFC 9325; RFC 7519",
    ),
    _claim(
        "a-name-that-nobody-checks-is-anybody-s",
        "Where a certificate is asked for, and not whose it is, every client may call itself a node, and needs no token.",
        "RFC 9525: the name in the certificate must be that of whoever speaks",
        breaks=True,
        faults=("impostor",),
        settings={**SHORT, "bug": "certificate-name-unchecked"},
    ),
    EXPIRY_FALLS,
)

KV_MTLS = Target(
    name="kv/mtls",
    summary="the same with mutual TLS between nodes and with clients",
    program=RAFT.program,
    client=RAFT.client,
    workloads=RAFT.workloads,
    roles=RAFT.roles,
    bugs=(*TLS_BUGS, *TOKEN_BUGS),
    claims=TLS_CLAIMS,
    faults=BORNE,
    options={"security": "tls"},
    hosts={
        "docker": "harness.clusters.docker:DockerCluster",
        "local": "harness.clusters.local:LocalCluster",
    },
    hosts_why="TLS takes sockets",
)
