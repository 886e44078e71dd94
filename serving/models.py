"""The models that can be packed into an archive, and how each set of weights wants its pictures."""

from dataclasses import dataclass
from typing import Final

RGB: Final = "RGB"
BGR: Final = "BGR"


@dataclass(frozen=True, slots=True)
class Pictures:
    """How a picture becomes the model's input; goes into the archive as it is."""

    channels: str
    resize: tuple[int, ...]
    """Height and width, or the shorter side alone."""
    interpolation: str
    """As torchvision names it."""
    crop: int
    divisor: float
    """What the values 0 to 255 are divided by first."""
    mean: tuple[float, float, float]
    """Of the channels, in the order above."""
    deviation: tuple[float, float, float]


TORCHVISION: Final = Pictures(
    RGB, (256,), "bilinear", 224, 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
)
CAFFE: Final = Pictures(BGR, (227, 227), "bicubic", 227, 1.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the zoo."""

    name: str
    """Also torchvision's name of its architecture."""
    packaged: bool
    """Whether trained weights come with an installed package."""


MODELS: Final = {
    model.name: model for model in (Model("squeezenet1_1", packaged=True), Model("vgg16", packaged=False))
}
