"""Programs that tell the time: each writes "wall monotonic" (ns) for every byte that it reads. As unlike each other as programs get."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn

import pytest

from harness.clusters.clocks.clocks import Clocks, hindrance
from harness.effects import ClockSkew

# An answer that came within this tells the time as it is; of those that did not, so many are asked for.
SOON_NS, READINGS = 50_000_000, 20

needs_skew = [
    pytest.mark.process,
    pytest.mark.skipif(hindrance() is not None, reason=str(hindrance())),
]

TELL = "import os, time\nwhile os.read(0, 1): os.write(1, b'%d %d\\n' % (time.time_ns(), time.monotonic_ns()))"
# A program that executes another one for each reading, as a shell does.
EXEC = """\
import os, subprocess, sys
while os.read(0, 1):
    subprocess.run([sys.executable, "-S", "-c", "import time; print(time.time_ns(), time.monotonic_ns())"])
"""
# One that forks for each reading.
FORK = """\
import os, time
while os.read(0, 1):
    if os.fork() == 0:
        os.write(1, b'%d %d\\n' % (time.time_ns(), time.monotonic_ns()))
        os._exit(0)
    os.wait()
"""
# One that asks its second thread.
THREAD = """\
import os, threading, time
def tell():
    while os.read(0, 1): os.write(1, b'%d %d\\n' % (time.time_ns(), time.monotonic_ns()))
threading.Thread(target=tell).start()
"""

GO = """\
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	began, one := time.Now(), make([]byte, 1)
	for {
		if n, _ := os.Stdin.Read(one); n == 0 {
			return
		}
		fmt.Println(time.Now().UnixNano(), time.Since(began).Nanoseconds())
	}
}
"""

JAVA = """\
public class Clock {
    public static void main(String[] arguments) throws java.io.IOException {
        while (System.in.read() >= 0)
            System.out.println(System.currentTimeMillis() + "000000 " + System.nanoTime());
    }
}
"""
# The class of it, as javac -g:none --release 11 -XDstringConcat=inline makes it: a JVM need not have a compiler.
CLOCK_CLASS = """\
yv66vgAAADcAPQoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvT2JqZWN0AQAGPGluaXQ+AQADKClWCQAIAAkHAAoMAAsADAEAEGphdmEvbGFuZy9TeXN0
ZW0BAAJpbgEAFUxqYXZhL2lvL0lucHV0U3RyZWFtOwoADgAPBwAQDAARABIBABNqYXZhL2lvL0lucHV0U3RyZWFtAQAEcmVhZAEAAygpSQkACAAUDAAV
ABYBAANvdXQBABVMamF2YS9pby9QcmludFN0cmVhbTsHABgBABdqYXZhL2xhbmcvU3RyaW5nQnVpbGRlcgoAFwADCgAIABsMABwAHQEAEWN1cnJlbnRU
aW1lTWlsbGlzAQADKClKCgAXAB8MACAAIQEABmFwcGVuZAEAHChKKUxqYXZhL2xhbmcvU3RyaW5nQnVpbGRlcjsIACMBAAcwMDAwMDAgCgAXACUMACAA
JgEALShMamF2YS9sYW5nL1N0cmluZzspTGphdmEvbGFuZy9TdHJpbmdCdWlsZGVyOwoACAAoDAApAB0BAAhuYW5vVGltZQoAFwArDAAsAC0BAAh0b1N0
cmluZwEAFCgpTGphdmEvbGFuZy9TdHJpbmc7CgAvADAHADEMADIAMwEAE2phdmEvaW8vUHJpbnRTdHJlYW0BAAdwcmludGxuAQAVKExqYXZhL2xhbmcv
U3RyaW5nOylWBwA1AQAFQ2xvY2sBAARDb2RlAQAEbWFpbgEAFihbTGphdmEvbGFuZy9TdHJpbmc7KVYBAA1TdGFja01hcFRhYmxlAQAKRXhjZXB0aW9u
cwcAPAEAE2phdmEvaW8vSU9FeGNlcHRpb24AIQA0AAIAAAAAAAIAAQAFAAYAAQA2AAAAEQABAAEAAAAFKrcAAbEAAAAAAAkANwA4AAIANgAAAEQABAAB
AAAALrIAB7YADZsAJ7IAE7sAF1m3ABm4ABq2AB4SIrYAJLgAJ7YAHrYAKrYALqf/1rEAAAABADkAAAAEAAIALAA6AAAABAABADsAAA==
"""


def go(source: str, directory: Path) -> Path:
    """A static program of this Go source."""
    if shutil.which("go") is None:
        _absent("there is no Go compiler: apt-get install golang-go")
    path = directory / "program.go"
    path.write_text(source)
    cache = os.environ.get("GOCACHE") or str(Path.home() / ".cache" / "go-build")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": cache, "GO111MODULE": "off"}
    subprocess.run(["go", "build", "-o", str(directory / "program"), str(path)], check=True, env=environment)
    return directory / "program"


def java(directory: Path) -> list[str]:
    """The command line of the JVM, its class in this directory."""
    return jvm("Clock", CLOCK_CLASS, directory)


def jvm(name: str, code: str, directory: Path) -> list[str]:
    """The command line of a JVM that runs this class, which is put into this directory."""
    if shutil.which("java") is None:
        _absent("there is no Java: apt-get install default-jre-headless")
    (directory / f"{name}.class").write_bytes(base64.b64decode(code))
    # Without files in /tmp, which JVMs of the same number in other namespaces would want, too.
    return ["java", "-Xint", "-Xshare:auto", "-XX:-UsePerfData", "-cp", str(directory), name]


def _absent(why: str) -> NoReturn:
    """Skip the test, but where the machine was to have them (as .ci/run says by SPLITBRAIN_REQUIRE) fail."""
    if "runtimes" in os.environ.get("SPLITBRAIN_REQUIRE", "").split(","):
        pytest.fail(f"this machine was to have it: {why}")
    pytest.skip(why)


def command(kind: str, directory: Path) -> list[str]:
    if kind == "go":
        return [str(go(GO, directory))]
    if kind == "java":
        return java(directory)
    script = {"python": TELL, "execs": EXEC, "forks": FORK, "threads": THREAD}[kind]
    return [sys.executable, "-S", "-c", script]


class Voice:
    """A running program of these, by its standard input and output."""

    def __init__(self, ask: IO[bytes], hear: IO[bytes]) -> None:
        self._ask, self._hear = ask, hear
        self.told()  # it is up

    def told(self) -> tuple[int, int]:
        self._ask.write(b"?")
        wall, mono = self._hear.readline().split()
        return int(wall), int(mono)

    async def offset_s(self) -> float:
        """Its wall clock minus ours, by the first answer that came soon, or else the soonest of some: the machine may be busy."""
        readings: list[tuple[int, float]] = []
        while not readings or (min(readings)[0] > SOON_NS and len(readings) < READINGS):
            before_ns = time.time_ns()
            wall, _ = await asyncio.to_thread(self.told)
            after_ns = time.time_ns()
            readings.append((after_ns - before_ns, (wall - (before_ns + after_ns) / 2) / 1e9))
        return min(readings)[1]

    async def drifts(self, clocks: Clocks, drift: float, near_s: float) -> None:
        """Let the clock of the node, n1, drift for a second or so, and hold it to what it then shows."""
        before_s = time.monotonic()
        await clocks.skew("n1", ClockSkew(drift=drift))
        set_s = time.monotonic()
        await asyncio.sleep(1)
        asked_s = time.monotonic()
        gained_s = await self.offset_s()
        assert drift * (asked_s - set_s) - near_s < gained_s < drift * (time.monotonic() - before_s) + near_s


class Teller(Voice):
    """One that is a child of ours."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.pid = self.process.pid
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        super().__init__(self.process.stdin, self.process.stdout)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()
