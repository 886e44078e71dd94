"""The environment in which plain `pulumi` and `kubectl` commands use the emulator."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from emulator.home import HOME_ENV, Home
from emulator.program import PASSPHRASE
from tools.locate import bin_dir, locate


def variables(home: Home, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Every variable with its value.

    Raises:
        ToolMissing: the tools were not built.
    """
    folders = [bin_dir(), home.bin, Path(sys.executable).parent, locate("kubectl").parent]
    own = list(dict.fromkeys(map(str, folders)))
    rest = [entry for entry in environ.get("PATH", os.defpath).split(os.pathsep) if entry not in own]
    return {
        "PATH": os.pathsep.join((*own, *rest)),
        "PULUMI_BACKEND_URL": f"file://{home.state}",
        "PULUMI_HOME": str(home.pulumi),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Every plugin there is lies in PULUMI_HOME; the engine would look for the others in vain.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_OPTION_CWD": str(home.program),
        "KUBECONFIG": str(home.kubeconfig),
        HOME_ENV: str(home.path),
    }


def exports(values: Mapping[str, str]) -> str:
    """POSIX shell commands that set the variables."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())
