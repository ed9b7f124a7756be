"""Bars as SVG that stands in the page itself: no script, no library, and the page's own colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT, GAP = 600.0, 100.0, 0.18
#: What is not nothing is seen, however small it is beside the others.
LEAST = 2.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        value: its height.
        said: what is told of it.
        part: the part of the value that is drawn as a warning.
    """

    value: float
    said: str
    part: float = 0.0


def bars(given: Sequence[Bar], label: str) -> Markup:
    """Return bars that fill the width they are given, each of which says what it is."""
    picture = _picture({"role": "img", "aria-label": label})
    highest = max((one.value for one in given), default=0.0)
    step = WIDTH / max(1, len(given))
    for number, one in enumerate(given):
        place = {"x": f"{step * (number + GAP / 2):.1f}", "width": f"{step * (1 - GAP):.1f}"}
        # The whole height tells, also where the bar is low.
        told = ET.SubElement(picture, "rect", {**place, "y": "0", "height": f"{HEIGHT:g}", "class": "ground"})
        ET.SubElement(told, "title").text = one.said
        for value, name in ((one.value, "bar"), (one.part, "part")):
            if value > 0:
                height = _height(value, highest)
                drawn = {"y": f"{HEIGHT - height:.1f}", "height": f"{height:.1f}", "class": name}
                ET.SubElement(picture, "rect", {**place, **drawn})
    return _markup(picture)


def spark(values: Sequence[float]) -> Markup:
    """Return the same for the cell of a table that says it in numbers, too: small, and one shape for all bars."""
    picture = _picture({"aria-hidden": "true"})
    highest, step = max(values, default=0.0), WIDTH / max(1, len(values))
    width = step * (1 - GAP)
    shapes = [
        f"M{step * (number + GAP / 2):.0f} {HEIGHT:g}v-{_height(value, highest):.0f}h{width:.0f}V{HEIGHT:g}z"
        for number, value in enumerate(values)
        if value > 0
    ]
    ET.SubElement(picture, "path", {"class": "bar", "d": "".join(shapes)})
    return _markup(picture)


def _picture(said: dict[str, str]) -> ET.Element:
    box = {"viewBox": f"0 0 {WIDTH:g} {HEIGHT:g}", "preserveAspectRatio": "none", "focusable": "false"}
    return ET.Element("svg", {"class": "bars", **box, **said})


def _height(value: float, highest: float) -> float:
    return max(LEAST, value / highest * HEIGHT)


def _markup(picture: ET.Element) -> Markup:
    return Markup(ET.tostring(picture, encoding="unicode"))  # noqa: S704 - ElementTree has escaped it
