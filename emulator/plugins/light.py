"""Makes `pulumi.runtime.proto` importable without the rest of the SDK.

A plugin process starts for every provider of a program. Importing the SDK takes most of its start
and a plugin needs only the protocol's messages. To be called by a plugin's process only, before
anything imports `pulumi`; the SDK itself is not usable afterwards.
"""

import importlib.util
import sys
import types
from typing import Final

_PACKAGES: Final = ("pulumi", "pulumi.runtime")


def without_sdk() -> None:
    """Put empty packages in place of the SDK's, which would import everything."""
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        return
    root = next(iter(spec.submodule_search_locations))
    for name in _PACKAGES:
        stand_in = types.ModuleType(name)
        stand_in.__path__ = ["/".join((root, *name.split(".")[1:]))]
        sys.modules[name] = stand_in
