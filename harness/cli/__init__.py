"""The command line, and the composition root: the only package that knows every table."""
