"""Packs a model into the archive that TorchServe loads: weights, class names, handler."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from model_archiver import ModelArchiver, ModelArchiverConfig

from serving import architectures
from serving.models import Model
from serving.weights import Weights, class_names, weights_of

VERSION: Final = "1.0"
_HANDLER: Final = Path(__file__).resolve().parent / "handler.py"
_LAYERS: Final = _HANDLER.with_name("architectures.py")
_DESCRIPTION: Final = "model.json"


class Misfit(Exception):
    """Weights that are not the model's."""


def require_fit(model: Model, weights: Weights) -> None:
    """See to it that the model takes the weights: TorchServe would only say that its worker died.

    Raises:
        Misfit: it does not; with torch's reason.
    """
    empty = architectures.empty(model.name)
    try:
        empty.load_state_dict(weights.state, assign=True)
    except RuntimeError as fault:
        raise Misfit(f"{model.name}: {weights.source} weights do not fit: {fault}") from fault


def description(model: Model, weights: Weights) -> str:
    """What the handler has to know beside the weights, as JSON."""
    known = {
        "architecture": model.name,
        "weights": weights.source,
        **asdict(weights.pictures),
        "classes": class_names(model),
    }
    return json.dumps(known, indent=1) + "\n"


def pack(model: Model, source: str, out: Path, *, unpacked: bool = False) -> tuple[Path, str]:
    """Write `NAME.mar` into the folder; returns its path and where the weights came from.

    It appears whole or not at all, and replaces one that is there. An unpacked one is a folder, which
    TorchServe takes as it is: of a file each start writes all of it to the disk once more.

    Raises:
        NoWeights: the source has no weights for the model.
        Misfit: they are another model's.
    """
    weights = weights_of(model, source)
    require_fit(model, weights)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".packing-") as scratch:
        folder = Path(scratch)
        state, told = folder / f"{model.name}.pt", folder / _DESCRIPTION
        torch.save(dict(weights.state), state)
        told.write_text(description(model, weights), encoding="utf-8")
        ModelArchiver.generate_model_archive(
            ModelArchiverConfig(
                model_name=model.name,
                version=VERSION,
                serialized_file=str(state),
                handler=str(_HANDLER),
                extra_files=f"{told},{_LAYERS}",
                export_path=str(folder),
                # Weights do not compress; every start of a worker would have to unpack them.
                archive_format="no-archive" if unpacked else "zip-store",
                force=True,
            )
        )
        archive = out / f"{model.name}.mar"
        if archive.is_dir() or (unpacked and archive.exists()):
            archive.replace(folder / "before")
        (folder / (model.name if unpacked else archive.name)).replace(archive)
    return archive, weights.source
