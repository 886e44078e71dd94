"""Image classification in TorchServe: a picture in, the five likeliest classes out.

A copy of this file travels in every archive and runs in TorchServe's workers, so it imports
nothing of the project but the file of layers beside it. What else the archive holds is written by
`serving.archive`. Workers are started while callers wait: what would slow a start is left out.
"""

import hmac
import importlib.util
import io
import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from ts.utils.util import PredictionException

LAYERS_FILE: Final = Path(__file__).resolve().with_name("architectures.py")
DESCRIPTION_FILE: Final = "model.json"
CLASSES: Final = 5
MOST_PIXELS: Final = 50_000_000
"""A picture of a few kilobytes may unfold to gigabytes."""
PROBE_HEADER: Final = "Rightsize-Probe"
TOKEN_FILE_ENV: Final = "RIGHTSIZE_TOKEN_FILE"  # noqa: S105  # the name of a variable
"""Variable with the file of the token that callers have to bring; without it everybody is let in."""
READY: Final = {"status": "ready"}
_PARTS: Final = ("data", "body")
_WARM_UPS: Final = 2
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_TOO_LARGE: Final = 413


class ImageClassifier:
    """One model in one worker; TorchServe calls `initialize` once and `handle` for every request."""

    def initialize(self, context: Any) -> None:
        """Load the model and let it see a picture, so that the first caller does not wait for it."""
        properties = context.system_properties
        folder = Path(properties["model_dir"])
        token = os.environ.get(TOKEN_FILE_ENV)
        self._token = Path(token).read_text(encoding="utf-8").strip() if token else ""
        self._description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
        self._device = _device(properties.get("gpu_id"))
        self._mean, self._deviation = (
            torch.tensor(self._description[name]).view(3, 1, 1) for name in ("mean", "deviation")
        )
        weights = folder / context.manifest["model"]["serializedFile"]
        self._model = self._loaded(weights)
        for _ in range(_WARM_UPS):
            self._classified(_any_picture())

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[dict[str, Any]]:
        """Answer a batch; one request that is no picture fails it, so batches are of one.

        `GET /predictions/MODEL` with the header of a probe asks whether the model answers: TorchServe's
        own `/ping` says healthy before the model is loaded.
        """
        return [self._answer(row, index, context) for index, row in enumerate(data)]

    def _answer(self, row: dict[str, Any], index: int, context: Any) -> dict[str, Any]:
        if context.get_request_header(index, PROBE_HEADER):
            return dict(READY)
        self._let_in(index, context)
        return self._classified(_body(row))

    def _let_in(self, index: int, context: Any) -> None:
        """See to it that the caller has brought the token, if one is wanted; header names have no case."""
        found = (context.get_request_header(index, name) for name in ("Authorization", "authorization"))
        brought = next((str(one) for one in found if one), "")
        if self._token and not hmac.compare_digest(brought.encode(), f"Bearer {self._token}".encode()):
            raise PredictionException(
                "no token, or a wrong one: expected the header `Authorization: Bearer TOKEN`", _UNAUTHORIZED
            )

    def _loaded(self, weights: Path) -> Any:
        """The model with its weights; they are mapped, so that workers of one machine share them."""
        model = _layers().empty(self._description["architecture"])
        # Tensors only: a weights file can bring no code.
        state = torch.load(weights, weights_only=True, map_location="cpu", mmap=True)
        model.load_state_dict(state, assign=True)
        # Convolutions on CPUs are up to twice as fast with a pixel's channels side by side.
        return (
            model.eval()
            .requires_grad_(requires_grad=False)
            .to(self._device, memory_format=torch.channels_last)
        )

    def _classified(self, body: bytes) -> dict[str, float]:
        return self._likeliest(self._scores(self._prepared(body).unsqueeze(0))[0])

    def _scores(self, batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            placed = batch.to(self._device, memory_format=torch.channels_last)
            return torch.softmax(self._model(placed), dim=1).cpu()

    def _prepared(self, body: bytes) -> torch.Tensor:
        """The picture as these weights were trained to see it."""
        how = self._description
        seen = _cropped(_resized(_picture(body), how["resize"], how["interpolation"]), how["crop"])
        tensor = torch.from_numpy(np.array(seen)).permute(2, 0, 1).float() / how["divisor"]
        if how["channels"] == "BGR":
            tensor = tensor.flip(0)
        return (tensor - self._mean) / self._deviation

    def _likeliest(self, scores: torch.Tensor) -> dict[str, float]:
        best = torch.topk(scores, CLASSES)
        names = self._description["classes"]
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return {names[index]: score for index, score in pairs}


def _layers() -> Any:
    """The module beside this file, wherever both lie."""
    found = importlib.util.spec_from_file_location(LAYERS_FILE.stem, LAYERS_FILE)
    if found is None or found.loader is None:
        raise ImportError(f"{LAYERS_FILE}: no Python file")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _any_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256)).save(buffer, "JPEG")
    return buffer.getvalue()


def _resized(picture: Image.Image, size: list[int], method: str) -> Image.Image:
    """To a height and a width, or by the shorter side."""
    if len(size) == 1:
        shorter = min(picture.size)
        width, height = (int(size[0] * side / shorter) for side in picture.size)
    else:
        height, width = size
    return picture.resize((width, height), Image.Resampling[method.upper()])


def _cropped(picture: Image.Image, side: int) -> Image.Image:
    """The middle of it."""
    left, top = (round((length - side) / 2) for length in picture.size)
    return picture.crop((left, top, left + side, top + side))


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
