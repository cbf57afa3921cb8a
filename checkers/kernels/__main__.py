"""``python -m checkers.kernels [DIRECTORY]``: compile the kernels, into the cache or DIRECTORY."""

from __future__ import annotations

import sys
from pathlib import Path

from checkers.kernels.build import build
from checkers.kernels.image import cache_directory, image_name, save


def main() -> int:
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else cache_directory()
    path = save(build(), directory / image_name())
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
