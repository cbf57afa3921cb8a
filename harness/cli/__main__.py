"""``python -m harness.cli``: the same as the command ``splitbrain``."""

from harness.cli.main import entry

entry()
