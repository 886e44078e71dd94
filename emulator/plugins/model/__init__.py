"""The one model of what the clouds answer to Pulumi: outputs of resources, results of functions.

Two callers answer from it, so that they cannot drift apart: the plugins, which lay what the
emulated APIs say over it, and the Pulumi mocks of the unit tests. Everything here is pure, and in
camelCase as the engine speaks it; tests hold every property against the classes of the SDKs.
"""

from emulator.plugins.model.registry import (
    FUNCTIONS,
    RESOURCES,
    UnknownFunction,
    UnknownResource,
    id_of,
    invoke_of,
    kind_of,
    outputs_of,
    result_id_of,
)

__all__ = [
    "FUNCTIONS",
    "RESOURCES",
    "UnknownFunction",
    "UnknownResource",
    "id_of",
    "invoke_of",
    "kind_of",
    "outputs_of",
    "result_id_of",
]
