"""Where a model's weights come from: torchvision's download, an installed package, or a seed.

Trained weights need the internet, except SqueezeNet's: these lie in the package `ndf`, in the
layout of Keras. A model without any gets seeded ones, the same everywhere: its answers mean
nothing, but can be compared with each other, and it works as hard as a trained one.
"""

import importlib.util
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import torch
import torchvision

from serving.models import CAFFE, TORCHVISION, Model, Pictures

SEED: Final = 0
PACKAGED: Final = "packaged"
DOWNLOADED: Final = "torchvision"
SEEDED: Final = "seeded"
AUTO: Final = "auto"

_PACKAGE: Final = "ndf"
_FILE: Final = Path("example_models/weights/squeezenet_weights.pkl")

State = Mapping[str, torch.Tensor]


class NoWeights(Exception):
    """The weights asked for cannot be had here; the message says which can."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's parameters, and how they want their pictures."""

    source: str
    state: State
    pictures: Pictures


def weights_of(model: Model, source: str) -> Weights:
    """The model's weights from one source; `auto` takes the first that can be had.

    Raises:
        NoWeights: that source has none for it, here.
    """
    if source != AUTO:
        return SOURCES[source](model)
    for trained in (_downloaded, _packaged):
        try:
            return trained(model)
        except NoWeights:
            continue
    return _seeded(model)


def class_names(model: Model) -> tuple[str, ...]:
    """ImageNet's class names in the order of the model's outputs, as TorchServe's own files spell them."""
    names = torchvision.models.get_model_weights(model.name).DEFAULT.meta["categories"]
    return tuple(name.replace(" ", "_") for name in names)


def from_keras(arrays: Mapping[str, Sequence[np.ndarray[Any, Any]]]) -> dict[str, torch.Tensor]:
    """A SqueezeNet 1.1 as Keras keeps it, in torchvision's names and layout."""
    state: dict[str, torch.Tensor] = {}
    for layer, (kernel, bias) in arrays.items():
        name = _torch_name(layer)
        state[f"{name}.weight"] = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
        state[f"{name}.bias"] = torch.from_numpy(bias.copy())
    return state


def _downloaded(model: Model) -> Weights:
    chosen = torchvision.models.get_model_weights(model.name).IMAGENET1K_V1
    try:
        state = chosen.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as fault:
        raise NoWeights(
            f"{model.name}: torchvision's weights cannot be downloaded ({fault}); choose {SEEDED}"
            f"{f' or {PACKAGED}' if model.packaged else ''}, or try again with internet"
        ) from fault
    return Weights(DOWNLOADED, state, TORCHVISION)


def _packaged(model: Model) -> Weights:
    if not model.packaged:
        raise NoWeights(f"{model.name}: no package brings its weights; choose {DOWNLOADED} or {SEEDED}")
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise NoWeights(f"{model.name}: the package {_PACKAGE} is not installed; run `make serving`")
    with (Path(found.submodule_search_locations[0]) / _FILE).open("rb") as file:
        arrays = _Arrays(file, encoding="latin1").load()
    return Weights(PACKAGED, from_keras(arrays), CAFFE)


def _seeded(model: Model) -> Weights:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(SEED)
        network = torchvision.models.get_model(model.name, weights=None)
    return Weights(SEEDED, network.state_dict(), TORCHVISION)


SOURCES: Final[Mapping[str, Callable[[Model], Weights]]] = {
    DOWNLOADED: _downloaded,
    PACKAGED: _packaged,
    SEEDED: _seeded,
}

_FIRES: Final = {2: 3, 3: 4, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12}
"""Place of each fire module among torchvision's features: poolings stand between them."""
_PARTS: Final = {"squeeze1x1": "squeeze"}
_ENDS: Final = {"conv1": "features.0", "conv10": "classifier.1"}


def _torch_name(layer: str) -> str:
    if layer in _ENDS:
        return _ENDS[layer]
    fire, part = layer.split("/")
    return f"features.{_FIRES[int(fire.removeprefix('fire'))]}.{_PARTS.get(part, part)}"


class _Arrays(pickle.Unpickler):
    """Reads pickled arrays and refuses whatever else a pickle may bring."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy.core.multiarray", "_reconstruct"):
            return super().find_class("numpy._core.multiarray", name)
        if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype")}:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} in a file of arrays")
