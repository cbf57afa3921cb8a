"""The guard: who is let in, who is refused and why, that the log is told, and that each seeded bug opens the one door that it says."""

from __future__ import annotations

from typing import Any

import pytest

from targets.node import codes, tokens
from targets.node.env import Refusal
from targets.node.guard import LEEWAY_S, LIFETIME_S, Bugs, Guard, role_for
from targets.node.tokens import Claims

KEY = b"k" * 32
BORN_S, NOW_S = 1_000.0, 1_100.0


class Door:
    """A guard, its clock and its log."""

    def __init__(self, bug: str | None = None) -> None:
        self.now_s = BORN_S
        self.log: list[dict[str, Any]] = []
        self._bug = bug
        self.guard = self.reborn()

    def reborn(self) -> Guard:
        options = {"bug": self._bug} if self._bug else {}
        self.guard = Guard(
            Bugs.of(options), lambda: self.now_s, lambda event, **f: self.log.append({"event": event, **f})
        )
        self.guard.open("n1", KEY)
        return self.guard

    def ask(self, token: Any, type_: str = "write", **fields: Any) -> str | None:
        """Why a request is refused; None if it is let in."""
        before = len(self.log)
        body = {"type": type_, "msg_id": 1, "client": "c1", "seq": 7, "token": token, **fields}
        try:
            message = self.guard.admit({"src": "c1", "dest": "n1", "body": body})
        except Refusal as refusal:
            code, why = refusal.code, refusal.text
        else:
            assert self.log[before:] == []
            assert message["body"] == {name: value for name, value in body.items() if name != "token"}
            return None
        told = {"event": "intrusion", "by": "c1", "why": why, "client": "c1", "seq": 7}
        assert self.log[before:] == ([] if self._bug == "alarm-not-logged" else [told])
        assert code == codes.UNAUTHORIZED
        return why


def claims(**other: Any) -> Claims:
    fresh = {"sub": "c1", "role": "writer", "aud": "n1", "iat": NOW_S, "exp": NOW_S + LIFETIME_S, "jti": "c1/1"}
    return Claims(**{**fresh, **other})


def token(key: bytes = KEY, **other: Any) -> str:
    return tokens.sign(claims(**other), key)


def unsigned() -> str:
    whole = tokens.seal({"alg": "none"}, claims().fields(), KEY)
    return whole[: whole.rindex(".") + 1]


FUTURE_S = NOW_S + LEEWAY_S + 0.1
# A request that must be refused: (why, the bug that lets it in, its token, its type).
REFUSED: list[tuple[str, str | None, Any, str]] = [
    ("there is no token", None, None, "write"),
    ("the token has expired", "expiry-unchecked", token(iat=NOW_S - 10, exp=NOW_S), "write"),
    ("the token is older than the node's memory", "replay-cache-lost", token(iat=BORN_S - 1, exp=BORN_S + 9), "write"),
    ("the token is good for too long", None, token(exp=NOW_S + LIFETIME_S + 1), "write"),
    ("the token is of the future", None, token(iat=FUTURE_S, exp=FUTURE_S + 1), "write"),
    ("the token is not signed as ours are", "alg-none-accepted", unsigned(), "write"),
    ("the token is not signed as ours are", None, tokens.seal({"alg": "HS512"}, claims().fields(), KEY), "write"),
    ("the signature is wrong", "signature-unchecked", token(b"x" * 32), "write"),
    ("the role may not do that", "role-unchecked", token(role="reader"), "write"),
    ("the role may not do that", "role-unchecked", token(role="nobody"), "read"),
    ("the token is for another node", "audience-unchecked", token(aud="n2"), "write"),
    ("no client may ask that", None, token(), "sb_skew"),
    ("no client may ask that", None, token(), "init"),
]


@pytest.mark.parametrize(("why", "bug", "bad", "type_"), REFUSED)
def test_a_bad_request_is_refused_for_its_reason_and_by_its_bug_alone_let_in(
    why: str, bug: str | None, bad: Any, type_: str
) -> None:
    # A token of before the node's birth has expired by now, unless it is asked for at once.
    asked_s = BORN_S + 1 if "memory" in why else NOW_S
    for name in (None, bug):
        door = Door(name)
        door.now_s = asked_s
        assert door.ask(bad, type_) == (why if name is None else None)


def test_a_good_request_is_let_in_once() -> None:
    door = Door()
    door.now_s = NOW_S
    good = token()
    assert door.ask(good) is None
    assert door.ask(good) == "the token has been used"
    assert door.ask(token(jti="c1/2", role="reader"), "read") is None
    assert door.ask(token(jti="c1/3"), "read") is None  # who may write may also read


def test_after_a_restart_nothing_of_before_is_accepted() -> None:
    for bug, why in ((None, "the token is older than the node's memory"), ("replay-cache-lost", None)):
        door = Door(bug)
        door.now_s = NOW_S
        good = token()
        assert door.ask(good) is None
        door.now_s = NOW_S + 1
        door.reborn()
        assert door.ask(good) == why


def test_the_memory_of_used_tokens_ends_with_them() -> None:
    door = Door()
    for number in range(1000):
        door.now_s = NOW_S + number
        assert door.ask(token(jti=str(number), iat=door.now_s, exp=door.now_s + LIFETIME_S)) is None
    assert len(door.guard._seen) <= LIFETIME_S + 1


def test_nobody_is_let_in_before_there_is_a_key_and_no_answer_of_a_clients_is_believed() -> None:
    log: list[Any] = []
    guard = Guard(Bugs(), lambda: NOW_S, lambda event, **fields: log.append(event))
    message = {"src": "c1", "dest": "n1", "body": {"type": "write", "token": token()}}
    with pytest.raises(Refusal, match="no key"):
        guard.admit(message)
    guard.open("n1", KEY)
    with pytest.raises(Refusal, match="was not asked"):
        guard.admit({**message, "body": {**message["body"], "in_reply_to": 3}})  # type: ignore[dict-item]
    assert log == ["intrusion", "intrusion"]


def test_an_alarm_that_is_not_logged_is_a_bug() -> None:
    door = Door("alarm-not-logged")
    assert door.ask(None) == "there is no token"
    assert door.log == []


def test_reading_takes_less_than_all_else() -> None:
    assert [role_for(type_) for type_ in ("read", "write", "cas", "send")] == ["reader", "writer", "writer", "writer"]
