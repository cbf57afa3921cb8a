"""A circle as a picture: its operations around an ellipse, clockwise, and an arrow for each step, with its number and kind.

Shapes with coordinates in px, without a word of SVG (the template writes that). The words stand in the list beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, pi, sin

from reports.circle import Circle, CircleStep

MEMBERS_MAX = 14  # more are told, not drawn
_BOX_H, _CHAR, _PAD = 28.0, 8.0, 12.0
_HEAD = 9.0
_MARGIN = 16.0
_FLAT = 0.72  # the height of the ellipse against its width
_OUT_MAX = 1.28  # how far out arrows between neighbours bend
_ACROSS = 0.35  # how far in those across the circle


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A member, around (x, y)."""

    x: float
    y: float
    width: float
    height: float
    text: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A step: a quadratic curve, the points of its tip, and its text around (text_x, text_y)."""

    path: str
    head: str
    text: str
    text_x: float
    text_y: float
    text_width: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CircleDrawing:
    """All shapes, in the order in which they are painted."""

    width: float
    height: float
    curves: tuple[Curve, ...]
    boxes: tuple[Box, ...]


Point = tuple[float, float]


def draw_circle(circle: Circle) -> CircleDrawing | None:
    """The drawing; None of a circle too large to be read."""
    count = len(circle.members)
    if not 2 <= count <= MEMBERS_MAX or circle.left_out:
        return None
    half = max(len(member.label) for member in circle.members) * _CHAR / 2 + _PAD
    wide = max(120.0, 36.0 * count)
    radii = (wide, wide * _FLAT if count > 2 else 46.0)
    out = min(_OUT_MAX, 1.03 / cos(pi / count)) if count > 2 else 1.6
    reach = wide if count == 2 else wide * out  # arrows between two bend up and down, not aside
    # The lowest member of three stands at half the height of the ellipse, and the arrow below it hardly lower.
    below = radii[1] * (0.85 if count == 3 else 1.0)
    middle = (reach + half + _MARGIN, radii[1] + _BOX_H / 2 + _MARGIN)
    begin = pi if count == 2 else -pi / 2
    angles = {member.label: begin + 2 * pi * at / count for at, member in enumerate(circle.members)}
    at = {label: _on(middle, radii, angle, 1.0) for label, angle in angles.items()}
    order = {member.label: number for number, member in enumerate(circle.members)}
    curves = []
    for number, step in enumerate(circle.steps, start=1):
        near = (order[step.dst] - order[step.src]) % count == 1
        turn = _on(middle, radii, angles[step.src] + pi / count, out)
        start, goal = at[step.src], at[step.dst]
        bend = turn if near else _towards(((start[0] + goal[0]) / 2, (start[1] + goal[1]) / 2), middle, _ACROSS)
        curves.append(_curve((start, bend, goal), half, number, step))
    boxes = tuple(
        Box(
            x=at[m.label][0],
            y=at[m.label][1],
            width=2 * half,
            height=_BOX_H,
            text=m.label,
            title=f"{m.label}: {m.did[0]}",
        )
        for m in circle.members
    )
    height = middle[1] + below + _BOX_H / 2 + _MARGIN
    return CircleDrawing(width=2 * middle[0], height=height, curves=tuple(curves), boxes=boxes)


def _on(middle: Point, radii: Point, angle: float, out: float) -> Point:
    return middle[0] + radii[0] * out * cos(angle), middle[1] + radii[1] * out * sin(angle)


def _towards(one: Point, other: Point, share: float) -> Point:
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share


def _curve(points: tuple[Point, Point, Point], half: float, number: int, step: CircleStep) -> Curve:
    start, bend, goal = points
    text = f"{number} {step.kind}"
    first, last = _edge(start, bend, half), _edge(goal, bend, half)
    along = _unit(bend, last)
    base = (last[0] - along[0] * _HEAD, last[1] - along[1] * _HEAD)
    side = (-along[1] * _HEAD / 2, along[0] * _HEAD / 2)
    corners = (last, (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1]))
    x, y = ((first[i] + 2 * bend[i] + last[i]) / 4 for i in (0, 1))
    return Curve(
        path=f"M{first[0]:.1f} {first[1]:.1f} Q{bend[0]:.1f} {bend[1]:.1f} {base[0]:.1f} {base[1]:.1f}",
        head=" ".join(f"{corner[0]:.1f},{corner[1]:.1f}" for corner in corners),
        text=text,
        text_x=x,
        text_y=y + 4,
        text_width=len(text) * _CHAR + 6,
        kind=step.kind,
        title=f"{step.src} before {step.dst}",
    )


def _edge(middle: Point, towards: Point, half: float) -> Point:
    """Where the way from the middle of a box leaves it."""
    dx, dy = towards[0] - middle[0], towards[1] - middle[1]
    shares = [room / abs(d) for room, d in ((half + 2, dx), (_BOX_H / 2 + 2, dy)) if d]
    return _towards(middle, towards, min([*shares, 1.0]))


def _unit(one: Point, other: Point) -> Point:
    length = hypot(other[0] - one[0], other[1] - one[1]) or 1.0
    return (other[0] - one[0]) / length, (other[1] - one[1]) / length
