"""The one model of what OCI answers to Pulumi: outputs of resources, results of functions.

Two callers answer from it, so that they cannot drift apart: the `oci` plugin, which lays what the
emulated API says over it, and the Pulumi mocks of the unit tests. Everything here is pure, and in
camelCase as the engine speaks it; tests hold every property against the classes of `pulumi_oci`.
"""

from emulator.plugins.model.functions import FUNCTIONS, UnknownFunction, invoke_of
from emulator.plugins.model.resources import RESOURCES, UnknownResource, kind_of, outputs_of

__all__ = [
    "FUNCTIONS",
    "RESOURCES",
    "UnknownFunction",
    "UnknownResource",
    "invoke_of",
    "kind_of",
    "outputs_of",
]
