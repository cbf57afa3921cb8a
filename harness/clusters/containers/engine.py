"""Calls to the Docker engine: the SDK's own, carried out in threads, its errors turned into sentences.

The SDK blocks; a run must not. Every call goes through ``Engine.call``, which also lets ``drain`` wait for those that are under way when
a run is interrupted: a container that is being made is then known, and can be removed.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import docker
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from harness.errors import ClusterError

Answer = TypeVar("Answer")

SOCKET = "unix:///var/run/docker.sock"
# Calls at the same time: each may take the engine a third of a second, most of it waiting.
THREADS = 10
# The engine answers a ping at once, a start within seconds; a build or a removal on a busy machine takes longer.
PING_S, CALL_S = 2.0, 120.0


def address() -> str:
    """Where the engine is asked: what DOCKER_HOST says, else its socket on this machine."""
    return os.environ.get("DOCKER_HOST") or SOCKET


def connect(timeout_s: float = CALL_S) -> Any:
    """The SDK's low-level client. Raises ClusterError if no engine answers."""
    with explained(f"no Docker engine answers at {address()}"):
        if is_local():  # asked first, since the SDK leaves a socket open that cannot be connected
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(timeout_s)
                sock.connect(address().removeprefix("unix://"))
        settings = kwargs_from_env()
        settings.setdefault("base_url", address())
        client = docker.APIClient(**settings, timeout=timeout_s, num_pools=THREADS)
        try:
            client.ping()
        except BaseException:
            client.close()
            raise
        return client


@contextmanager
def explained(what: str) -> Iterator[None]:
    """What the SDK raises becomes one sentence that begins with ``what``."""
    try:
        yield
    except APIError as error:
        raise ClusterError(f"{what}: {error.explanation or error}") from error
    except (DockerException, RequestException, OSError) as error:
        raise ClusterError(f"{what}: {_root(error)}") from error


def _root(error: BaseException) -> str:
    """The SDK wraps the reason many times over; what the system said stands innermost."""
    seen: BaseException | None = error
    found: BaseException = error
    while seen is not None:
        found = seen if isinstance(seen, OSError) and seen.strerror else found
        seen = seen.__cause__ or seen.__context__
    return getattr(found, "strerror", None) or str(found)


class Engine:
    """One run's line to the engine. Connects at once; raises ClusterError if it cannot."""

    def __init__(self) -> None:
        self.client = connect()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")

    async def call(
        self,
        what: str,
        function: Callable[..., Answer],
        *args: Any,
        undo: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Carry out a call of the SDK in a thread. ``what`` says what was tried, for the error. Raises ClusterError.

        A call that is under way cannot be taken back: ``undo`` is given (in its thread) what it brought, if whoever waited was cancelled.
        """

        def carry_out() -> Answer:
            with explained(what):
                return function(*args)

        def late(done: Future[Answer]) -> None:
            if undo is not None and not done.cancelled() and done.exception() is None:
                undo(done.result())

        call = self._threads.submit(carry_out)
        try:
            return await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            call.add_done_callback(late)
            raise

    def drain(self) -> None:
        """Wait for the calls that are under way; nothing can be called any more. Blocks for as long as they take."""
        self._threads.shutdown(wait=True)

    def close(self) -> None:
        """Idempotent."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()


def is_local() -> bool:
    """Whether the engine's socket is a file of this machine."""
    return address().startswith("unix://")
