"""One self-contained HTML page per run: opened from a file, offline, readable without scripts for what
matters most.

    drawing    the witness as shapes with coordinates
    circle_drawing a circle of operations as shapes
    space_time the messages around it as shapes
    columns    operations, faults, roles and logs as compact columns for the timeline
    page       templates, styles, scripts and data put together; the only place that writes HTML
    templates/ assets/    what the page is made of

The page runs one script and one style sheet, both pinned by hash in its Content-Security-Policy; nothing is
loaded from anywhere.
"""

from __future__ import annotations

from reports.html.page import render

__all__ = ["render"]
