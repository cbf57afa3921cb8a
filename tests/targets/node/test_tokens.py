"""Tokens: read and written as the world's JSON Web Tokens are, and what is no token of ours is refused in words that hold nothing of it."""

from __future__ import annotations

import base64
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.node import tokens
from targets.node.tokens import Claims, Refused

KEY = b"0123456789abcdef0123456789abcdef"
CLAIMS = Claims(sub="c1", role="writer", aud="n1", iat=1000.25, exp=1010.25, jti="c1/1")


def read(token: Any, key: bytes = KEY) -> Claims:
    """What a token says whose signature is right."""
    _, fields, signed, sealed = tokens.parts(token)
    assert sealed == tokens.signature(signed, key)
    return tokens.claims_of(fields)


def test_what_is_written_is_read() -> None:
    assert read(tokens.sign(CLAIMS, KEY)) == CLAIMS


def test_pyjwt_reads_what_we_write() -> None:
    options: Any = {"verify_exp": False, "verify_iat": False}
    token = tokens.sign(CLAIMS, KEY)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert jwt.decode(token, KEY, algorithms=["HS256"], audience="n1", options=options) == CLAIMS.fields()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, KEY[::-1], algorithms=["HS256"], audience="n1", options=options)


def test_we_read_what_pyjwt_writes() -> None:
    assert read(jwt.encode(CLAIMS.fields(), KEY, algorithm="HS256")) == CLAIMS


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (None, "there is no token"),
        (7, "there is no token"),
        ("", "there is no token"),
        ("a" * 5000, "too long"),
        ("a.b", "three parts"),
        ("a.b.c.d", "three parts"),
        ("!.b.c", "base64url"),
        ("a.b.c", "base64url"),
        ("YQ.YQ.YQ", "no JSON"),
        ("W10.e30.YQ", "no object"),
        ("e30.W10.YQ", "no object"),
        (".e30.YQ", "base64url"),
        (base64.urlsafe_b64encode(b"[" * 1400).decode().rstrip("=") + ".e30.YQ", "no JSON"),
    ],
)
def test_what_is_no_token_is_refused(token: Any, why: str) -> None:
    with pytest.raises(Refused, match=why):
        tokens.parts(token)


@pytest.mark.parametrize("name", ["sub", "role", "aud", "iat", "exp", "jti"])
@pytest.mark.parametrize("value", [None, True, [], ""])
def test_a_claim_of_a_wrong_kind_is_missing(name: str, value: Any) -> None:
    with pytest.raises(Refused, match=f"the claim {name} is missing"):
        tokens.claims_of({**CLAIMS.fields(), name: value})


@given(token=st.text(max_size=100) | st.builds(".".join, st.lists(st.text("aAeyJ01-_=", max_size=20), max_size=4)))
def test_any_text_is_a_token_or_refused_in_words_that_do_not_hold_it(token: str) -> None:
    try:
        header, fields, _, _ = tokens.parts(token)
    except Refused as refused:
        sentence = str(refused)
    else:
        sentence = ""
        assert isinstance(header, dict)
        assert isinstance(fields, dict)
    assert len(token) < 20 or token not in sentence
