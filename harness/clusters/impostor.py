"""The impostor of a run: makes attempts to get in, and logs each with what came of it. Which there are stands in ``harness.effects``.

An attempt is a write of a value that must never be read (MARK and its number), by one of a few lines into the cluster, which know what
honest clients know and are themselves given nothing but a client's name. The log is ``nodes/impostor/node.log``, beside those of the nodes
that were tried: a line with the event "campaign" when attempts begin, which kinds there will be (``kinds``) and at which nodes (``nodes``);
then for each a line with the event "attempt", its number, kind, node and ``by``, whom the node must have seen, and as ``answer`` "ok",
the code of an error, "believed" (the node listens on to whom it had to cut off), "closed" (the node, which lives on, has hung up), or
null (nobody knows whether it has arrived); ``outcome`` says what that means: "let-in", "refused" or "unheard".
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.clusters.security import Authority
from harness.effects import IMPOSTOR, MARK, TLS_ATTEMPTS, TOKEN_ATTEMPTS, Intrude
from harness.protocols import Body, Channel, NoAnswer, NotSent, RpcError
from targets.node import codes, tokens
from targets.node.guard import LIFETIME_S, OFF, READER, TLS, WRITER

# So many attempts are under way at a time, each on a line of its own; whoever waits for an answer for so long gets none.
LINES, PATIENCE_S = 16, 1.0
# Keys that the workloads of our stores read: what is written there would be seen.
KEYS = 5
# How long ago an expired token was good: long enough that no clock that goes right could doubt it.
EXPIRED_MIN_S, EXPIRED_MAX_S = 1.0, 30.0

Answer = int | str | None
CLOSED, BELIEVED = "closed", "believed"
# Makes an attempt of TLS_ATTEMPTS: (kind, node, request) → (who the node saw, what it answered).
Knock = Callable[[str, str, Body], Awaitable[tuple[str, Answer]]]


@dataclass(slots=True)
class _Campaign:
    """One effect between its beginning and its end."""

    counts: Counter[str] = field(default_factory=Counter)
    task: asyncio.Task[None] | None = None
    over: bool = False


class Impostor:
    """``channel(name)`` is a line that nothing is signed on; ``time_s`` the log's clock; ``knock`` is None where nodes speak no TLS."""

    def __init__(
        self,
        authority: Authority,
        channel: Callable[[str], Channel],
        log: Path,
        time_s: Callable[[], float],
        knock: Knock | None = None,
    ) -> None:
        self._authority, self._channel, self._time_s, self._knock = authority, channel, time_s, knock
        self._log = log
        self._made = 0
        self._campaigns: dict[Intrude, _Campaign] = {}

    # The power

    async def intrude(self, effect: Intrude) -> None:
        campaign = self._campaigns.setdefault(effect, _Campaign())
        if campaign.task is None or campaign.task.done():
            campaign.over = False
            campaign.task = asyncio.get_running_loop().create_task(self._wage(effect, campaign))

    async def withdraw(self, effect: Intrude) -> None:
        campaign = self._campaigns.get(effect)
        if campaign is not None and campaign.task is not None:
            campaign.over = True
            await campaign.task

    def attempts(self, effect: Intrude) -> Mapping[str, int]:
        campaign = self._campaigns.get(effect)
        return dict(campaign.counts) if campaign is not None else {}

    def intruding(self, effect: Intrude) -> bool:
        campaign = self._campaigns.get(effect)
        return campaign is not None and campaign.task is not None and not campaign.task.done()

    # Attempts

    def _known(self, wanted: tuple[str, ...]) -> list[str]:
        """Those of the attempts that there are here."""
        if self._authority.mode == OFF:
            return [TOKEN_ATTEMPTS[0]]
        there = (*TOKEN_ATTEMPTS, *(TLS_ATTEMPTS if self._knock is not None and self._authority.mode == TLS else ()))
        return [kind for kind in wanted if kind in there]

    async def _wage(self, effect: Intrude, campaign: _Campaign) -> None:
        loop = asyncio.get_running_loop()
        kinds = self._known(effect.attempts)
        self._write({"event": "campaign", "kinds": kinds, "nodes": effect.nodes})
        free, due_s = asyncio.Semaphore(LINES), loop.time()
        lines = [f"x{number}" for number in range(1, LINES + 1)]

        async def one(number: int, kind: str, node: str) -> None:
            line = lines.pop()
            try:
                await self._attempt(campaign, number, kind, node, line)
            finally:
                lines.append(line)
                free.release()

        async with asyncio.TaskGroup() as under_way:
            while kinds:
                await free.acquire()
                if campaign.over:
                    break
                kind, node = _turn(self._made, kinds, effect.nodes)
                self._made += 1
                under_way.create_task(one(self._made, kind, node))
                due_s = max(due_s + 1 / effect.per_s, loop.time() - 1.0)  # what is late is made up for, within reason
                await asyncio.sleep(max(0.0, due_s - loop.time()))

    async def _attempt(self, campaign: _Campaign, number: int, kind: str, node: str, line: str) -> None:
        mark = f"{MARK}{number}"
        body = {"type": "write", "key": number % KEYS, "value": mark, "client": IMPOSTOR, "seq": number}
        if kind in TLS_ATTEMPTS:
            assert self._knock is not None
            token = tokens.sign(self._authority.claims(line, node, WRITER), self._authority.key)
            by, answer = await self._knock(kind, node, {**body, "token": token})
        else:
            by, token_of = line, self._token(kind, node, line)
            if token_of is None:
                return  # nothing has been used yet that could be replayed
            if kind == "harness-question":
                body = {**body, "type": "sb_ping"}
            answer = await self._ask(line, node, {**body, **token_of})
        outcome = "unheard" if answer is None else "refused" if answer in (codes.UNAUTHORIZED, CLOSED) else "let-in"
        campaign.counts[outcome] += 1
        told = {"number": number, "kind": kind, "node": node, "by": by, "answer": answer, "outcome": outcome}
        self._write({"event": "attempt", **told, "mark": mark})

    async def _ask(self, line: str, node: str, body: Body) -> Answer:
        try:
            await self._channel(line).rpc(node, body, PATIENCE_S)
        except RpcError as error:
            return error.code
        except (NoAnswer, NotSent):
            return None
        return "ok"

    def _token(self, kind: str, node: str, line: str) -> Mapping[str, str] | None:
        """The field of a request that carries the token of such an attempt; None if there is none to be had yet."""
        issue, key = self._authority.claims, self._authority.key
        match kind:
            case "no-token":
                return {}
            case "expired-token":
                ago_s = EXPIRED_MIN_S + self._made * 7.3 % (EXPIRED_MAX_S - EXPIRED_MIN_S)
                expired_s = self._authority.wall_s() - ago_s
                found = tokens.sign(issue(line, node, WRITER, iat=expired_s - LIFETIME_S, exp=expired_s), key)
            case "alg-none":
                whole = tokens.seal({"alg": "none", "typ": "JWT"}, issue(line, node, WRITER).fields(), key)
                found = whole[: whole.rindex(".") + 1]
            case "wrong-key":
                found = tokens.sign(issue(line, node, WRITER), bytes(reversed(key)))
            case "forged-claims":
                header, fields, sealed = tokens.sign(issue(line, node, READER), key).split(".")
                found = f"{header}.{_promoted(fields)}.{sealed}"
            case "wrong-role":
                found = tokens.sign(issue(line, node, READER), key)
            case "harness-question":
                found = tokens.sign(issue(line, node, WRITER), key)
            case _:
                return self._replayed(kind, node)
        return {"token": found}

    def _replayed(self, kind: str, node: str) -> Mapping[str, str] | None:
        """A token that an honest client has used: the oldest that could still be good, at the node that saw it or at another one."""
        sources = [node] if kind == "replayed-token" else [other for other in self._authority.used if other != node]
        used = [token for source in sources for token in self._authority.used[source]]
        return {"token": used[self._made % len(used)]} if used else None

    def _write(self, fields: Mapping[str, Any]) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as file:
            file.write(json.dumps({"t": round(self._time_s(), 6), **fields}).encode() + b"\n")


def _turn(made: int, kinds: Sequence[str], nodes: Sequence[str]) -> tuple[str, str]:
    """Whose turn it is after so many attempts: all kinds before one comes again, then each at the next node, so that a short time or a low
    rate sees every kind. Campaigns go on where the last one ended: many short ones see as much as a long one.
    """
    rounds, place = divmod(made, len(kinds))
    return kinds[place], nodes[(place + rounds) % len(nodes)]


def _promoted(fields: str) -> str:
    """The claims of a token, with the role of a writer."""
    claims = json.loads(base64.urlsafe_b64decode(fields + "=" * (-len(fields) % 4)))
    return base64.urlsafe_b64encode(json.dumps({**claims, "role": WRITER}).encode()).decode().rstrip("=")


class Intrudes:
    """The power "intrude" of a cluster, by the impostor that it has made as ``_impostor`` when it started."""

    _impostor: Impostor

    async def intrude(self, effect: Intrude) -> None:
        await self._impostor.intrude(effect)

    async def withdraw(self, effect: Intrude) -> None:
        await self._impostor.withdraw(effect)

    def attempts(self, effect: Intrude) -> Mapping[str, int]:
        return self._impostor.attempts(effect)

    def intruding(self, effect: Intrude) -> bool:
        return self._impostor.intruding(effect)
