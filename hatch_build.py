"""Compiles the checkers' kernels when a wheel is built, so that no user needs a compiler, and no check waits for one.

The image goes into the wheel, which is then of one platform (any Python from 3.11 on). An editable installation gets it
in the user's cache; an image of the same sources that lies there already is taken. Where numba is missing, or fails, the
wheel is built without: kernels are then compiled once, at the first check that is long enough. See ``checkers/kernels``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelsHook(BuildHookInterface):  # type: ignore[type-arg,misc]  # hatchling's class, whose parameter is the builder
    """Adds the image to a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, self.root)
        try:
            from checkers.kernels.build import build
            from checkers.kernels.image import cache_directory, image_name, read, save

            directory = cache_directory() if version == "editable" else Path(tempfile.mkdtemp())
            path = directory / image_name()
            if not path.exists():
                save(read(cache_directory() / path.name) or build(), path)
        except (ImportError, OSError, RuntimeError) as error:
            self.app.display_warning(f"kernels are not compiled ahead of time: {error}")
            return
        finally:
            sys.path.remove(self.root)
        if version != "editable":
            from packaging.tags import platform_tags

            build_data["force_include"][str(path)] = f"checkers/kernels/{path.name}"
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{next(iter(platform_tags()))}"
