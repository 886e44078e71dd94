"""Image classification in TorchServe: a picture in, the five likeliest classes out.

A copy of this file travels in every archive and runs in TorchServe's workers, so it imports
nothing of the project. What the archive holds beside the weights is written by `serving.archive`.
"""

import io
import json
from pathlib import Path
from typing import Any, Final

import torch
import torchvision
from PIL import Image, UnidentifiedImageError
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as pictures
from ts.utils.util import PredictionException

DESCRIPTION_FILE: Final = "model.json"
CLASSES: Final = 5
MOST_PIXELS: Final = 50_000_000
"""A picture of a few kilobytes may unfold to gigabytes."""
PROBE_HEADER: Final = "Rightsize-Probe"
READY: Final = {"status": "ready"}
_PARTS: Final = ("data", "body")
_BAD_REQUEST: Final = 400
_TOO_LARGE: Final = 413


class ImageClassifier:
    """One model in one worker; TorchServe calls `initialize` once and `handle` for every request."""

    def initialize(self, context: Any) -> None:
        """Load the model and let it answer once, so that the first caller does not wait for it."""
        properties = context.system_properties
        folder = Path(properties["model_dir"])
        self._description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        self._device = _device(properties.get("gpu_id"))
        model = torchvision.models.get_model(self._description["architecture"], weights=None)
        weights = folder / context.manifest["model"]["serializedFile"]
        # Tensors only: a weights file can bring no code.
        model.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
        self._model = model.eval().to(self._device)
        side = self._description["crop"]
        self._scores(torch.zeros(1, 3, side, side))

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[dict[str, Any]]:
        """Answer a batch; one request that is no picture fails it, so batches are of one.

        `GET /predictions/MODEL` with the header of a probe asks whether the model answers: TorchServe's
        own `/ping` says healthy before the model is loaded.
        """
        return [
            dict(READY) if context.get_request_header(index, PROBE_HEADER) else self._classified(_body(row))
            for index, row in enumerate(data)
        ]

    def _classified(self, body: bytes) -> dict[str, float]:
        return self._likeliest(self._scores(self._prepared(body).unsqueeze(0))[0])

    def _scores(self, batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return torch.softmax(self._model(batch.to(self._device)), dim=1).cpu()

    def _prepared(self, body: bytes) -> torch.Tensor:
        """The picture as these weights were trained to see it."""
        how = self._description
        method = InterpolationMode(how["interpolation"])
        resized = pictures.resize(_picture(body), how["resize"], method, antialias=True)
        tensor = pictures.pil_to_tensor(pictures.center_crop(resized, how["crop"])).float() / how["divisor"]
        if how["channels"] == "BGR":
            tensor = tensor.flip(0)
        return pictures.normalize(tensor, how["mean"], how["deviation"])

    def _likeliest(self, scores: torch.Tensor) -> dict[str, float]:
        best = torch.topk(scores, CLASSES)
        names = self._description["classes"]
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return {names[index]: score for index, score in pairs}


def _device(gpu: str | int | None) -> torch.device:
    return torch.device(f"cuda:{gpu}" if gpu is not None and torch.cuda.is_available() else "cpu")


def _body(row: dict[str, Any]) -> bytes:
    """What was sent, as the whole body or as a form's field `data`."""
    body = next((row[part] for part in _PARTS if row.get(part)), None)
    if not isinstance(body, bytes | bytearray):
        raise PredictionException(
            "no picture: expected the bytes of a JPEG or PNG as the request's body", _BAD_REQUEST
        )
    return bytes(body)


def _picture(body: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(body))
        if picture.width * picture.height > MOST_PIXELS:
            raise PredictionException(
                f"picture of {picture.width} x {picture.height} pixels; at most {MOST_PIXELS} are taken",
                _TOO_LARGE,
            )
        return picture.convert("RGB")
    except UnidentifiedImageError as fault:
        raise PredictionException("not a picture: expected a JPEG or PNG", _BAD_REQUEST) from fault
    except Image.DecompressionBombError as fault:
        raise PredictionException(f"picture of too many pixels: {fault}", _TOO_LARGE) from fault
    except (OSError, ValueError, SyntaxError) as fault:
        raise PredictionException(f"not a picture that can be read: {fault}", _BAD_REQUEST) from fault
