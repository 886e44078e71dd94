"""What is wrong with a stack, as data: where, what, what was expected, and the way out."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

UNSAID: Final = object()
"""Stands for a value that no message repeats."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that keeps a stack from being built."""

    path: str
    """Key of the settings, for example `models.vgg16.gpu.memory`."""
    value: object
    expectation: str
    """Continues the sentence "path: value …", for example "must be at least 1"."""
    way_out: str = ""

    def __str__(self) -> str:
        end = f"; {self.way_out}" if self.way_out else ""
        if self.value is UNSAID:
            return f"{self.path} {self.expectation}{end}"
        if self.value in (None, ""):
            return f"{self.path} is not set: it {self.expectation}{end}"
        return f"{self.path}: {shown(self.value)} {self.expectation}{end}"


class StackError(Exception):
    """A stack that cannot be built; its text has one line for each fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def closest(word: str, words: Iterable[str]) -> str:
    """`did you mean 'max-sized'?` when a word is near one of the words, else nothing."""
    found = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f"did you mean '{found[0]}'?" if found else ""


def shown(value: object, limit: int = 60) -> str:
    """A value as a message quotes it: strings in quotes, on one line, long ones cut."""
    text = f"'{value}'" if isinstance(value, str) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
