"""What values of Kubernetes' objects may be: strict as the API server is, and with every fault at its place.

A check answers what is wrong with a value that is there: nothing, mostly, so that this costs little. As in
Kubernetes, null is the same as not there. `forms.py` says which fields are checked for what.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from provisioner.core import quantity

_LONGEST: Final = 60
"""Letters or digits of a value that are repeated in a fault."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One value that is not what belongs in its place."""

    place: str
    """From the object inwards, each field with its `.`, each index in brackets."""
    value: str
    """As it is shown."""
    expected: str
    """Empty: anything at all, but nothing is there."""

    def __str__(self) -> str:
        """One line, without the object's name."""
        place = self.place.removeprefix(".")
        if not self.expected:
            return f"{place} is missing"
        said = f"{self.value}; expected {self.expected}"
        return f"{place}: {said}" if place else said

    def inside(self, step: str) -> "Wrong":
        """The same, seen from what it stands in."""
        return replace(self, place=f"{step}{self.place}")


Faults = tuple[Wrong, ...]
Check = Callable[[Any], Faults]


def text(value: Any) -> Faults:
    """A string, of letters that can be written."""
    if not isinstance(value, str):
        is_bare = isinstance(value, bool | int | float)
        return _wrong(value, "text, so put it in quotation marks" if is_bare else "text")
    return () if value.isascii() or _is_writable(value) else _wrong(value, "text in Unicode")


def name(value: Any) -> Faults:
    """Text that is not empty."""
    return text(value) or (() if value else _wrong(value, "a name"))


def flag(value: Any) -> Faults:
    """True or false."""
    return () if isinstance(value, bool) else _wrong(value, "true or false")


def whole(least: int, most: int = 2**31 - 1) -> Check:
    """A whole number in that range."""
    expected = f"a whole number from {least} to {most}"

    def check(value: Any) -> Faults:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return () if is_whole and least <= value <= most else _wrong(value, expected)

    return check


def many(each: Check) -> Check:
    """A list of such values."""

    def check(value: Any) -> Faults:
        if not isinstance(value, list):
            return _wrong(value, "a list")
        found: Faults = ()
        for at, one in enumerate(value):
            wrong = each(one)
            if wrong:
                found += tuple(fault.inside(f"[{at}]") for fault in wrong)
        return found

    return check


def fields(known: Mapping[str, Check], *needed: str) -> Check:
    """A mapping with such values, those that are needed always, the others where they are there."""
    checks = tuple(known.items())

    def check(value: Any) -> Faults:
        if not isinstance(value, dict):
            return _wrong(value, "a mapping")
        found: Faults = ()
        for key, each in checks:
            one = value.get(key)
            if one is not None:
                wrong = each(one)
                if wrong:
                    found += tuple(fault.inside(f".{key}") for fault in wrong)
        for key in needed:
            if value.get(key) is None:
                found += (Wrong(f".{key}", "", ""),)
        return found

    return check


def texts(value: Any) -> Faults:
    """A mapping of text to text."""
    if not isinstance(value, dict):
        return _wrong(value, "a mapping")
    found: Faults = ()
    for key, one in value.items():
        wrong = _key(key) or text(one)
        if wrong:
            found += tuple(fault.inside(f".{key}") for fault in wrong)
    return found


def amounts(value: Any) -> Faults:
    """A mapping of resources to quantities."""
    if not isinstance(value, dict):
        return _wrong(value, "a mapping")
    found: Faults = ()
    for key, amount in value.items():
        wrong = _key(key)
        expected = quantity.expected_for(amount, 1000 if key == "cpu" else 1)
        if wrong or expected:
            found += tuple(fault.inside(f".{key}") for fault in wrong or _wrong(amount, expected))
    return found


def shown(value: Any) -> str:
    """A value so that its author knows it again, however large it is."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) >= 10**_LONGEST:
        return f"a number of more than {_LONGEST} digits"
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]!r}… ({len(value)} letters)"
    return repr(value)


def _wrong(value: Any, expected: str) -> Faults:
    return (Wrong("", shown(value), expected),)


def _key(key: Any) -> Faults:
    return () if isinstance(key, str) and not text(key) else _wrong(key, "text for a key, in quotation marks")


def _is_writable(value: str) -> bool:
    """Whether it has no half of a surrogate pair alone, which JSON can name and nothing can write."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
