"""What a plugin has to know of one type of resource, and how it is made, read, changed, deleted."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from emulator.plugins.differences import Change as PropertyChange
from emulator.plugins.differences import between, keys
from emulator.plugins.paths import Path
from emulator.plugins.provider import Change, Refused, Request
from emulator.plugins.rest.api import Api, ApiFault, Unreachable
from emulator.plugins.rest.waiting import Unfinished
from emulator.plugins.values import Properties


class HalfMade(Exception):
    """A resource exists but did not become what it should be; it must not be forgotten."""

    def __init__(self, resource_id: str, reason: str) -> None:
        super().__init__(reason)
        self.id = resource_id
        self.reason = reason


class Handler(ABC):
    """One type of resource at the API."""

    replaced_by: tuple[str, ...]
    """Properties whose change means another resource."""
    unique_name: ClassVar[bool] = False
    """Whether two of one name cannot exist, so that a replacement has to wait for the deletion."""
    named: ClassVar[bool] = False
    """Whether a missing `name` is made up by the provider."""
    of_others: ClassVar[tuple[str, ...]] = ()
    """Outputs that change by what others do; a refresh leaves them as they were."""

    @abstractmethod
    def create(self, api: Api, request: Request, inputs: Properties) -> str:
        """Make it and return its id.

        Raises:
            ApiFault: nothing was made.
            HalfMade: it was made, but is not well.
        """

    @abstractmethod
    def read(self, api: Api, resource_id: str) -> Properties:
        """It as the API shows it.

        Raises:
            ApiFault: with `gone` when it is not there.
        """

    @abstractmethod
    def update(self, api: Api, request: Request, change: Change) -> None:
        """Change it in place.

        Raises:
            ApiFault, Unfinished: not everything was changed; the next update tries all of it again.
            HalfMade: it was changed, but is not well.
        """

    @abstractmethod
    def delete(self, api: Api, request: Request, state: Properties) -> None:
        """Remove it and wait until it is gone; `state` is what the program last said and the cloud showed.

        Raises:
            ApiFault: with `gone` when it was gone already.
            Unfinished: it could not be removed.
        """

    @abstractmethod
    def read_back(self, inputs: Properties, shown: Properties) -> Properties:
        """The inputs that would make it what it is, as far as the program said anything."""

    def faults(self, inputs: Properties) -> tuple[tuple[str, str], ...]:
        """Inputs that cannot be met: property and reason."""
        del inputs
        return ()

    def same(self, name: str, before: Any, now: Any) -> bool:
        """Whether two values of a property mean the same."""
        del name
        return bool(before == now)

    def replaces(self, change: Change) -> Callable[[Path], bool]:
        """Says of each path that changed whether that means another resource."""
        del change
        return keys(*self.replaced_by)

    def changes(self, change: Change) -> tuple[PropertyChange, ...]:
        """What changed, without what means the same."""
        found = between(
            change.old_inputs, change.inputs, ignored=change.ignored, replaces=self.replaces(change)
        )
        return tuple(one for one in found if not self._means_the_same(change, one.path))

    def _means_the_same(self, change: Change, path: Path) -> bool:
        """Whether any value on the way to a changed one means what it did."""
        before: Any = change.old_inputs
        now: Any = change.inputs
        name = ""
        for step in path:
            before, now = _at(before, step), _at(now, step)
            name = step if isinstance(step, str) else name
            if self.same(name, before, now):
                return True
        return False


def changes_of(change: Change, split: frozenset[str] = frozenset()) -> Properties:
    """The new values of what changed; what is no longer given becomes empty of its kind.

    Names in `split` are objects of which only the changed parts are told: the API leaves the rest as
    it is, which may not be what the program once said (an autoscaler may have changed a size).
    """
    told: Properties = {}
    for one in between(change.old_inputs, change.inputs, ignored=change.ignored):
        name = str(one.path[0])
        if name in split and len(one.path) > 1:
            part = str(one.path[1])
            told.setdefault(name, {})[part] = _new(
                change.old_inputs.get(name) or {}, change.inputs.get(name) or {}, part
            )
        else:
            told[name] = _new(change.old_inputs, change.inputs, name)
    return told


@contextmanager
def unforgotten(resource_id: str) -> Iterator[None]:
    """From here on something is there, whatever goes wrong."""
    try:
        yield
    except (ApiFault, Refused, Unfinished, Unreachable) as fault:
        raise HalfMade(resource_id, str(fault)) from fault


def unless_gone(call: Callable[[], Any]) -> bool:
    """Make a call; returns whether there was still something to make it on."""
    try:
        call()
    except ApiFault as fault:
        if not fault.gone:
            raise
        return False
    return True


def _new(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> Any:
    value = new.get(name)
    if value is not None:
        return value
    before = old.get(name)
    if isinstance(before, list):
        return []
    return {} if isinstance(before, Mapping) else None


def _at(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(str(step))
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
