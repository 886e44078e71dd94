"""TorchServe as a process pod: its configuration, for a process that shares the machine with others.

A container has its network for itself and may listen on 127.0.0.1 or on every address. The
process listens on the pod's address alone, with all of its ports.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from catalog.names import IMAGE_SERVING
from emulator.kube.images import Locality, ProcessImage
from emulator.kube.mounts import real_path

PROGRAM: Final = "torchserve"
MODEL_STORE: Final = "/home/model-server/model-store"
_VM_ARGUMENTS: Final = "vmargs"
_FOLDERS: Final = ("model_store", "workflow_store")
_DEFAULTS: Final[Mapping[str, str]] = {
    "inference_address": "http://127.0.0.1:8080",
    "management_address": "http://127.0.0.1:8081",
    "metrics_address": "http://127.0.0.1:8082",
    "grpc_inference_address": "127.0.0.1",
    "grpc_management_address": "127.0.0.1",
}
"""TorchServe's own, where a configuration says nothing."""


def localised(text: str, here: Locality) -> str:
    """A `config.properties` of the container as the process needs it."""
    known = dict(_DEFAULTS)
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.lstrip().startswith("#"):
            known[key.strip()] = value.strip()
    return "".join(f"{key}={_value(key, value, here)}\n" for key, value in known.items())


def image(interpreter: Path, variables: Mapping[str, str], store: Path) -> ProcessImage:
    """The model server's image, given the environment that has TorchServe, and a folder of archives."""
    program = str(interpreter.parent / PROGRAM)
    return ProcessImage(
        repository=IMAGE_SERVING,
        command=lambda args: (str(interpreter), program, *args),
        program=PROGRAM,
        variables=variables,
        folders={MODEL_STORE: store},
        slow_start=True,
        localise=localised,
    )


def _value(key: str, value: str, here: Locality) -> str:
    if key.startswith("grpc_") and key.endswith("_address"):
        return here.address
    if key.endswith("_address"):
        parts = urlsplit(value)
        return f"{parts.scheme}://{here.address}:{parts.port or 80}"
    if key in _FOLDERS:
        return real_path(value, here.paths)
    if key == _VM_ARGUMENTS:
        return " ".join(_vm_argument(word, here) for word in value.split())
    return value


def _vm_argument(word: str, here: Locality) -> str:
    name, equals, value = word.partition("=")
    return f"{name}{equals}{real_path(value, here.paths)}"
