"""Real serving: what the daemon needs so that model servers are processes that answer.

The archives are what an image of the model server would bring along. They are packed once, into
the cache that also holds the binaries.
"""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from catalog.names import IMAGE_LOAD
from emulator.kube import torchserve
from emulator.kube.images import PROCESS_IMAGES, ProcessImage, python_module
from serving import environment
from serving.models import MODELS
from tools.locate import cache_dir, locate

MODELLED: Final = "modelled"
REAL: Final = "real"
KINDS: Final = (MODELLED, REAL)
_LOAD_MODULE: Final = "experiments.generator"
_GENERATORS: Final = ("hey", "vegeta")
_PACKED_BY: Final = (
    "serving/architectures.py",
    "serving/archive.py",
    "serving/handler.py",
    "serving/models.py",
    "serving/weights.py",
    "uv.lock",
)


class ServingFault(Exception):
    """Real serving cannot be had; the message is one line for the user."""


def prepare() -> None:
    """Pack the archives that are missing; takes half a minute the first time.

    Raises:
        ServingFault: TorchServe is not installed, or a model could not be packed.
        ToolMissing: a load generator is not built.
    """
    for name in _GENERATORS:
        locate(name)
    interpreter = _interpreter()
    store = model_store()
    lacking = [name for name in MODELS if not (store / f"{name}.mar").exists()]
    if not lacking:
        return
    command = [
        str(interpreter),
        "-m",
        "serving.cli",
        "archive",
        "--model",
        ",".join(lacking),
        "--out",
        str(store),
        "--unpacked",
    ]
    known = {**os.environ, "PYTHONPATH": str(environment.ROOT)}
    answer = subprocess.run(command, env=known, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines() or ["no reason given"]
        raise ServingFault(f"--serving {REAL}: archives not packed: {said[-1]}")


def images(kind: str) -> Sequence[ProcessImage]:
    """The images that run as processes.

    Raises:
        ServingFault: TorchServe is not installed.
    """
    if kind == MODELLED:
        return PROCESS_IMAGES
    interpreter = _interpreter()
    server = torchserve.image(interpreter, environment.variables(interpreter), model_store())
    load = ProcessImage(IMAGE_LOAD, python_module(_LOAD_MODULE), variables={"PATH": _path_of_generators()})
    return (*PROCESS_IMAGES, server, load)


def model_store() -> Path:
    """Folder of the archives; another one when anything that goes into them is another."""
    digest = hashlib.sha256()
    for name in _PACKED_BY:
        digest.update((environment.ROOT / name).read_bytes())
    return cache_dir() / "models" / digest.hexdigest()[:12]


def _path_of_generators() -> str:
    """An image has its programs on PATH; here each lies in a folder of the cache."""
    folders = [str(locate(name).parent) for name in _GENERATORS]
    return os.pathsep.join((*folders, os.environ.get("PATH", os.defpath)))


def _interpreter() -> Path:
    try:
        return environment.python()
    except environment.ServingMissing as missing:
        raise ServingFault(f"--serving {REAL}: {missing}") from missing
