"""What a resource provider has to do, free of gRPC.

Values are plain (see `values`): no secret marks go in; answers may hold `Secret` and, in previews,
`UNKNOWN`. Secret marks of inputs come back by themselves.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.plugins.differences import Difference, between
from emulator.plugins.values import Properties


class Refused(Exception):
    """The operation failed; the message is one line for the user."""


class InitFailed(Exception):
    """The resource exists but did not become what it should be; it goes into the state so."""

    def __init__(self, made: "Made", inputs: Properties, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.made = made
        self.inputs = inputs
        self.reasons = tuple(reasons)


class StatusLine:
    """The line of a resource on the console; this one writes nowhere."""

    def say(self, message: str) -> None:
        """Replace what stands on the line; an empty message clears it."""

    def warn(self, message: str) -> None:
        """A warning that stays."""


@dataclass(frozen=True, slots=True)
class Request:
    """One operation on one resource."""

    token: str
    name: str
    """Logical name in the program."""
    urn: str = ""
    id: str = ""
    preview: bool = False
    timeout_s: float = 0.0
    """0: none was given."""
    status: StatusLine = field(default_factory=StatusLine)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def pause(self, seconds: float) -> None:
        """Wait, but not after the user has cancelled.

        Raises:
            Refused: when cancelled.
        """
        if self.cancelled.wait(seconds):
            raise Refused(f"{self.name}: cancelled")


@dataclass(frozen=True, slots=True)
class Checked:
    """Inputs with the provider's own additions; faults are property and reason."""

    inputs: Properties
    faults: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that exists; its id is empty in a preview."""

    id: str
    outputs: Properties


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as it is now, with the inputs that would make it so."""

    id: str
    outputs: Properties
    inputs: Properties


@dataclass(frozen=True, slots=True)
class Change:
    """What an update or a diff starts from."""

    outputs: Properties
    """From the state."""
    old_inputs: Properties
    inputs: Properties
    ignored: tuple[str, ...] = ()
    """Paths whose changes the program ignores."""


class Provider(ABC):
    """A resource provider; its methods are called from several threads."""

    name: str
    """As in `pulumi-resource-<name>`."""
    version: str

    def check_config(self, inputs: Properties) -> Checked:
        """Check the provider's own inputs; unknown values are possible."""
        return Checked(inputs)

    def diff_config(self, old: Properties, new: Properties) -> Difference:
        """What a change of the provider's own inputs means for all its resources."""
        return Difference(between(old, new))

    @abstractmethod
    def configure(self, inputs: Properties, variables: Mapping[str, str]) -> None:
        """Take the provider's own inputs; called once, before anything but the two above."""

    @abstractmethod
    def check(self, request: Request, old: Properties, new: Properties, seed: bytes) -> Checked:
        """Complete and check the inputs of a resource; `seed` makes names."""

    @abstractmethod
    def diff(self, request: Request, change: Change) -> Difference:
        """What an update would do."""

    @abstractmethod
    def create(self, request: Request, inputs: Properties) -> Made:
        """Make a resource, or preview it.

        Raises:
            Refused: nothing was made.
            InitFailed: it was made, but is not well.
        """

    @abstractmethod
    def read(self, request: Request, inputs: Properties, outputs: Properties) -> Found | None:
        """The resource as it is; None when it is gone. Without inputs it is an import."""

    @abstractmethod
    def update(self, request: Request, change: Change) -> Properties:
        """Change a resource in place, or preview it; returns the outputs.

        Raises:
            Refused, InitFailed: as `create`.
        """

    @abstractmethod
    def delete(self, request: Request, inputs: Properties, outputs: Properties) -> None:
        """Remove a resource and wait until it is gone; one that is gone already is fine."""

    def invoke(self, token: str, _args: Properties) -> Properties:
        """Answer a function.

        Raises:
            Refused: with the reason.
        """
        raise Refused(f"{token}: {self.name} has no such function")


def replace_set(difference: Difference) -> list[str]:
    """Paths of the changes that replace the resource."""
    return [change.key for change in difference.changes if change.replaces]


def details(difference: Difference) -> dict[str, Any]:
    """Kind of each change as the engine names it, by path."""
    return {
        change.key: f"{change.kind}_REPLACE" if change.replaces else str(change.kind)
        for change in difference.changes
    }
