"""Debian's Chromium for tests of pages, spoken to over a pair of pipes (the DevTools protocol, messages end with a NUL).

Pages are opened as a reader opens them, from a file and with their policy in force; what a test asks is evaluated beside the page.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from select import select
from typing import Any

CHROMIUM = shutil.which("chromium")
TIMEOUT_S = 120.0
# No window, no network, nothing that outlives the call.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Browser:
    """One Chromium with one page at a time, of which the next one knows nothing. See ``browser``."""

    def __init__(self, answers: int, requests: int) -> None:
        self._answers, self._requests = answers, requests
        self._numbers = count(1)
        self._heard = b""
        self._session = self._context = ""
        self.events: list[dict[str, Any]] = []  # what the browser said of itself: exceptions, refusals of the policy

    def open(self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open the file in the place of what was open and wait until it is loaded."""
        self._session, before = "", self._context
        self._context = self._ask("Target.createBrowserContext", {})["browserContextId"]
        if before:
            self._ask("Target.disposeBrowserContext", {"browserContextId": before})
        place = {"url": "about:blank", "browserContextId": self._context}
        target = self._ask("Target.createTarget", place)["targetId"]
        self._session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable", {})
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.events.clear()
        self._ask("Page.navigate", {"url": page.resolve().as_uri()})
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._hear()

    def run(self, script: str) -> Any:
        """What the body of an async function returns in the page, JSON-able. Raises AssertionError for what it throws."""
        asked = {"expression": f"(async () => {{ {script} }})()", "awaitPromise": True, "returnByValue": True}
        answer = self._ask("Runtime.evaluate", asked)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self, path: Path) -> None:
        """A PNG of what is to be seen."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", {"format": "png"})["data"]))

    def complaints(self) -> list[str]:
        """Exceptions of the page's scripts and errors that the browser logged, such as refusals of the page's policy."""
        thrown = [e["params"]["exceptionDetails"] for e in self.events if e["method"] == "Runtime.exceptionThrown"]
        logged = [e["params"]["entry"] for e in self.events if e["method"] == "Log.entryAdded"]
        return [str(one) for one in (*thrown, *(entry for entry in logged if entry["level"] == "error"))]

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        request = {"id": number, "method": method, "params": params}
        if self._session:
            request["sessionId"] = self._session
        os.write(self._requests, json.dumps(request).encode() + b"\0")
        while (answer := self._hear()).get("id") != number:
            pass
        assert "error" not in answer, answer["error"]
        result: dict[str, Any] = answer["result"]
        return result

    def _hear(self) -> dict[str, Any]:
        """The next message; one that answers no question is kept among the events."""
        while b"\0" not in self._heard:
            ready, _, _ = select([self._answers], [], [], TIMEOUT_S)
            assert ready, "the browser does not answer"
            chunk = os.read(self._answers, 1 << 20)
            assert chunk, "the browser has ended"
            self._heard += chunk
        text, _, self._heard = self._heard.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message and message.get("sessionId", "") == self._session:
            self.events.append(message)
        return message


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium of our own, which ends with the block."""
    assert CHROMIUM, "chromium is not installed"
    with tempfile.TemporaryDirectory(prefix="splitbrain-chromium-", ignore_cleanup_errors=True) as profile:
        (hears, requests), (answers, speaks) = os.pipe(), os.pipe()
        # The pipes are the child's descriptors 3 and 4: first moved out of the way, since they may have these numbers here.
        high = [os.dup(hears), os.dup(speaks)]
        quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
        moved = [(os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4)]
        argv = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        child = os.posix_spawn(CHROMIUM, argv, os.environ, file_actions=[*quiet, *moved], setpgroup=0)
        for number in (hears, speaks, *high):
            os.close(number)
        try:
            yield Browser(answers, requests)
        finally:
            os.close(requests)
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(answers)
