"""Words reach the program at the other end as they are, whatever is in them."""

from __future__ import annotations

import json
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.clusters.hosts.quoting import command

SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ.get('SHOWN')]))"
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=25)
@given(st.lists(WORDS, max_size=4), WORDS)
def test_a_shell_hands_on_exactly_these_words(words: list[str], value: str) -> None:
    line = command([sys.executable, "-I", "-S", "-c", SHOW, *words], environment={"SHOWN": value})
    done = subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    )
    assert json.loads(done.stdout) == [words, value]


def test_sudo_comes_before_the_environment() -> None:
    line = command(["id", "-u"], environment={"A": "b c"}, sudo=True)
    assert line == "sudo -n -- env 'A=b c' id -u"
