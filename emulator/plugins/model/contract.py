"""What the registry asks of every type of resource and every function, of whatever cloud."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from emulator.plugins.model.values import Properties

Function = Callable[[Mapping[str, Any]], Properties]
"""From a function's arguments to its result."""
Computed = Callable[[Mapping[str, Any], str], Properties]
"""From merged inputs and id of a resource to what only the cloud can say."""


def nothing(_inputs: Mapping[str, Any], _resource_id: str) -> Properties:
    """Of a resource of which the cloud says nothing more."""
    return {}


class ResourceModel(Protocol):
    """One type of resource."""

    @property
    def kind(self) -> str:
        """The cloud's short word for it."""

    def id_of(self, inputs: Mapping[str, Any], name: str) -> str:
        """The id of one with these inputs and that logical name."""

    def outputs(self, inputs: Mapping[str, Any], resource_id: str) -> Properties:
        """Everything a healthy one shows."""
