"""A plot as an SVG element of the page: no script, no request, and it prints."""

from typing import Any, Final
from xml.etree.ElementTree import Element, fromstring

import vl_convert

_SPACE: Final = "{http://www.w3.org/2000/svg}"
_PAINTS: Final = ("fill", "stroke")
_DROPPED: Final = ("class", "pointer-events", "aria-hidden", "role", "aria-roledescription", "version")


def drawn(spec: dict[str, Any], says: str) -> Element:
    """Draw a Vega-Lite specification; `says` tells what there is to see to who cannot see it."""
    svg = fromstring(vl_convert.vegalite_to_svg(spec))  # noqa: S314  # drawn here, of our own figures
    for each in svg.iter():
        each.tag = each.tag.removeprefix(_SPACE)
        for name in _DROPPED:
            each.attrib.pop(name, None)
        _styled(each)
    _without_empty(svg)
    svg.set("role", "img")
    svg.set("aria-label", says)
    return svg


def _styled(element: Element) -> None:
    """Custom properties are sure to work in a style, not in an attribute."""
    paints = [name for name in _PAINTS if element.get(name, "").startswith("var(")]
    if paints:
        element.set("style", ";".join(f"{name}:{element.attrib.pop(name)}" for name in paints))


def _without_empty(parent: Element) -> None:
    """Drop what draws nothing: Vega writes a background and a foreground for every group."""
    for child in list(parent):
        _without_empty(child)
        empty = child.tag == "path" and child.get("d", "") in {"", "M0,0h0v0h0Z"}
        if empty or (child.tag == "g" and not len(child)):
            parent.remove(child)
