"""What handlers of Google's resources have in common."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final

from emulator.plugins.gcp import rows
from emulator.plugins.gcp.rows import Rows
from emulator.plugins.model.gcp.paths import last
from emulator.plugins.paths import Path, parse, within
from emulator.plugins.rest.handler import Handler
from emulator.plugins.rest.readback import read_back
from emulator.plugins.values import Properties

OWN: Final = ("deletionPolicy", "name", "project")
"""Inputs of all resources that no row has: names stand in paths, and the policy is Pulumi's alone."""
_LINKS: Final = frozenset({"cluster", "name", "network", "region", "router", "subnetwork"})
"""Properties that name something, by its name, its path or its link."""
_SETS: Final = frozenset(
    {"cidrBlocks", "nodeLocations", "oauthScopes", "permissions", "sourceIpRangesToNats", "subnetworks"}
)
"""Lists in which order means nothing."""
_CASELESS: Final = frozenset({"imageType", "member"})


class GoogleHandler(Handler):
    """One type of resource at Google's APIs."""

    rows: Rows
    """Properties that it has at the API."""
    own: tuple[str, ...] = ()
    """Inputs that the API does not show again: parts of the path, and what is Pulumi's alone."""
    owners: ClassVar[frozenset[str]] = frozenset()
    """Maps whose keys are the user's own."""
    places: tuple[str, ...] = ("project",)
    """Inputs that the provider itself may give: where it is."""
    labelled: ClassVar[bool] = False
    """Whether it carries the provider's labels."""

    def faults(self, inputs: Properties) -> tuple[tuple[str, str], ...]:
        """Inputs that the emulated cloud would not heed."""
        known = (*self.rows, *self.own, *OWN)
        return tuple(
            (path, "the emulated cloud does not have it")
            for path in dict.fromkeys(rows.unknown(inputs, known))
        )

    def same(self, name: str, before: Any, now: Any) -> bool:
        """Whether both name the same thing, or the same set."""
        if before == now:
            return True
        if isinstance(before, str) and isinstance(now, str):
            return _same_text(name, before, now)
        if name in _SETS and isinstance(before, list) and isinstance(now, list):
            return sorted(_texts(before)) == sorted(_texts(now))
        return False

    def read_back(self, inputs: Properties, shown: Properties) -> Properties:
        """As the program would say it."""
        read = {path: there for path, there in self.rows.items() if path.partition(".")[0] not in self.own}
        now: Properties = read_back(
            inputs, rows.completed(inputs, shown, read), owners=self.owners, same=self.same
        )
        return now


def _same_text(name: str, before: str, now: str) -> bool:
    if name in _CASELESS:
        return before.lower() == now.lower()
    if name in _LINKS:
        return before.endswith(f"/{now}") or now.endswith(f"/{before}")
    return name == "version" and now.startswith((f"{before}.", f"{before}-"))


def _texts(values: list[Any]) -> Iterator[str]:
    """Each value as a text; links and names of subnetworks by what they end in."""
    for value in values:
        plain = value
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            plain = {**value, "name": last(value["name"])}
        yield json.dumps(plain, sort_keys=True, default=repr)


def touches(paths: Iterable[Path], *names: str) -> bool:
    """Whether anything that changed lies at or below one of the names, or holds it."""
    prefixes = [parse(name) for name in names]
    return any(within(path, one) or within(one, path) for path in paths for one in prefixes)
