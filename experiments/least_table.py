"""The least possible price in the cost table, and in words why a steady state costs more."""

from collections.abc import Iterator, Mapping
from typing import Final

from rich.text import Text

from experiments.explained import Explained
from experiments.published import Point
from experiments.said import Said

HEADING: Final = "Least\npossible"
_FROM_DAY: Final = len("2026-01-02T")
_TO_SECOND: Final = len("2026-01-02T03:04:05")


def least_cell(one: Explained | None) -> Text:
    """The least price that is known."""
    return Text("-" if one is None or one.least_per_hour is None else f"{one.least_per_hour:.4f}")


def least_lines(found: Mapping[str, Explained], points: Mapping[str, Point]) -> Iterator[str]:
    """What the column shows and how sure it is, then a line for each point that costs more, or is not known."""
    known = {point: one for point, one in found.items() if one.least_per_hour is not None}
    if known:
        yield (
            "Least possible: the cheapest set of nodes for the pods of Right-sized, management nodes included;"
            f" {_how_sure(known)}."
        )
    for point, one in found.items():
        where = f"Right-sized, {points[point].label}"
        if one.above:
            yield f"{where}: ${one.above.normalize():f} an hour above that. {_why(one)}"
        for reason in one.unknown:
            yield f"{where}: not known: {reason}"


def _how_sure(known: Mapping[str, Explained]) -> str:
    unproven = {point: one.lower_bound_per_hour for point, one in known.items() if not one.proven}
    if not unproven:
        return "proven: no set costs less"
    bounds = ", ".join(f"at {point} no set costs less than ${bound:.4f}" for point, bound in unproven.items())
    return f"proven but for this: {bounds}" if len(unproven) < len(known) else f"not proven: {bounds}"


def _why(one: Explained) -> str:
    if not one.reasons:
        return "The provisioner has said nothing of it."
    return "The provisioner: " + "; ".join(map(_quoted, one.reasons)) + "."


def _quoted(said: Said) -> str:
    changed = ", before nodes last changed" if said.is_older else ""
    return f"“{said.words}” (at {said.time[_FROM_DAY:_TO_SECOND]} UTC{changed})"
