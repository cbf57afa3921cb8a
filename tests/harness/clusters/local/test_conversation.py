"""Messages with descriptors, and the controller's end of a conversation."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.namespaces import doctor, wire
from harness.clusters.namespaces.conversation import Conversation
from harness.errors import ClusterError


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.integers(), st.text()), max_size=5))
def test_messages_arrive_as_they_were_sent(message: dict[str, Any]) -> None:
    ours, theirs = wire.pair()
    with ours, theirs:
        wire.send(ours, message)
        assert wire.receive(theirs) == (message, [])


def test_descriptors_travel_and_are_closed_in_a_new_program() -> None:
    ours, theirs = wire.pair()
    reading, writing = os.pipe()
    with ours, theirs:
        wire.send(ours, {"a": 1}, [writing])
        os.close(writing)
        _, (copy,) = wire.receive(theirs)
        assert not os.get_inheritable(copy)
        os.write(copy, b"x")
        assert os.read(reading, 1) == b"x"
        os.close(copy)
        os.close(reading)


def test_the_end_of_the_other_end() -> None:
    ours, theirs = wire.pair()
    with theirs:
        wire.send(theirs, {})  # unread: the kernel then says "reset" instead of "end"
        ours.close()
        assert wire.receive(theirs) == (None, [])


def test_the_last_words_of_an_end_that_had_not_listened() -> None:
    ours, theirs = wire.pair()
    with ours:
        wire.send(ours, {"do": "build"})
        wire.send(theirs, {"error": "cannot"})
        theirs.close()
        assert wire.receive(ours) == ({"error": "cannot"}, [])
        assert wire.receive(ours) == (None, [])


def test_a_message_that_is_too_long_is_refused() -> None:
    ours, theirs = wire.pair()
    with ours, theirs, pytest.raises(ValueError, match="a message of"):
        wire.send(ours, {"a": "x" * wire.MESSAGE_MAX})


def talk(scenario: Callable[[Conversation, socket.socket], Awaitable[Any]]) -> Any:
    async def body() -> Any:
        ours, theirs = wire.pair()
        with theirs:
            conversation = Conversation(ours, "the other end")
            try:
                return await scenario(conversation, theirs)
            finally:
                conversation.close()

    return asyncio.run(body())


async def asked(theirs: socket.socket) -> wire.Message:
    while True:
        await asyncio.sleep(0)
        theirs.setblocking(False)
        try:
            message, _ = wire.receive(theirs)
        except BlockingIOError:
            continue
        assert message is not None
        return message


def test_answers_find_their_questions_and_news_its_reader() -> None:
    async def scenario(conversation: Conversation, theirs: socket.socket) -> Any:
        news: list[wire.Message] = []
        conversation.on_news = lambda message, _: news.append(message)
        first = asyncio.ensure_future(conversation.call("one", number=1))
        second = asyncio.ensure_future(conversation.call("two"))
        questions = [await asked(theirs), await asked(theirs)]
        wire.send(theirs, {"ended": 5})
        for question in reversed(questions):
            wire.send(theirs, {"id": question["id"], "said": question["do"]})
        return news, (await first)[0]["said"], (await second)[0]["said"], questions[0]["number"]

    assert talk(scenario) == ([{"ended": 5}], "one", "two", 1)


def test_a_refusal_is_an_error_with_its_number() -> None:
    async def scenario(conversation: Conversation, theirs: socket.socket) -> None:
        call = asyncio.ensure_future(conversation.call("spawn"))
        question = await asked(theirs)
        wire.send(theirs, {"id": question["id"], "error": "No such file", "errno": 2})
        with pytest.raises(FileNotFoundError, match="No such file"):
            await call

    talk(scenario)


def test_who_waits_when_it_ends_is_told_why() -> None:
    async def scenario(conversation: Conversation, theirs: socket.socket) -> None:
        call = asyncio.ensure_future(conversation.call("build"))
        await asked(theirs)
        wire.send(theirs, {"error": "cannot make namespaces", "errno": 1})
        with pytest.raises(ClusterError, match="the other end: cannot make namespaces") as caught:
            await call
        assert isinstance(caught.value.__cause__, PermissionError)
        with pytest.raises(ClusterError, match="cannot be asked any more"):
            await conversation.call("build")

    talk(scenario)


def test_an_end_without_a_word() -> None:
    async def scenario(conversation: Conversation, theirs: socket.socket) -> None:
        call = asyncio.ensure_future(conversation.call("build"))
        await asked(theirs)
        theirs.close()
        with pytest.raises(ClusterError, match="it has ended"):
            await call

    talk(scenario)


def refusal(number: int) -> ClusterError:
    error = ClusterError("no")
    error.__cause__ = OSError(number, "no")
    return error


@pytest.mark.parametrize(
    ("user", "path", "words"),
    [
        (1000, doctor.SWITCHES[0][0], "apparmor_restrict_unprivileged_userns=0"),
        (1000, doctor.SWITCHES[1][0], "unprivileged_userns_clone=1"),
        (1000, doctor.SWITCHES[2][0], "max_user_namespaces=10000"),
        (1000, "", "run as root"),
        (0, "", "--cap-add SYS_ADMIN"),
    ],
)
def test_a_machine_that_cannot_is_told_what_it_lacks(user: int, path: str, words: str) -> None:
    values = {switch: forbids for switch, forbids, _ in doctor.SWITCHES if switch == path}
    assert words in doctor.explained(refusal(1), user, values.get)


def test_a_limit_that_is_reached_is_named() -> None:
    assert "/proc/sys/user/max_*_namespaces" in doctor.explained(refusal(28), 0, lambda _path: "1000")


def test_another_refusal_is_passed_on() -> None:
    assert doctor.explained(refusal(5), 0, lambda _path: "0") == "the local cluster cannot run here: no"
