"""Public corpora of histories with known verdicts, read where they were downloaded; see ``__main__``. They stay outside."""
