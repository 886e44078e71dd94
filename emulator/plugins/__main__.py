"""A plugin's process: `python -m emulator.plugins NAME ENGINE_ADDRESS`, started by the engine."""

import importlib
import sys
from typing import Final

from emulator.plugins.light import without_sdk

_PROVIDERS: Final = {
    "gcp": ("emulator.plugins.gcp.plugin", "GcpProvider"),
    "kubernetes": ("emulator.plugins.kubernetes.plugin", "KubernetesProvider"),
    "oci": ("emulator.plugins.oci.plugin", "OciProvider"),
}
_ARGUMENTS: Final = 2


def main(arguments: list[str]) -> int:
    """Serve the named provider until the engine is done."""
    if len(arguments) < _ARGUMENTS or arguments[0] not in _PROVIDERS:
        sys.stderr.write(f"usage: python -m emulator.plugins {{{','.join(_PROVIDERS)}}} ENGINE_ADDRESS\n")
        return 2
    without_sdk()
    server = importlib.import_module("emulator.plugins.server")
    module, name = _PROVIDERS[arguments[0]]
    provider = getattr(importlib.import_module(module), name)()
    server.serve(provider, arguments[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
