"""The models' layers, as torchvision names and orders them.

A copy of this file travels in every archive beside the handler: importing torchvision would cost a worker
that starts two seconds of CPU, since it brings PyTorch's compilers along. What is not here comes from there.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import nn

CLASSES: Final = 1000
_VGG16: Final = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and convolutions before each pooling."""
_FIRES: Final = (((64, 16, 64), (128, 16, 64)), ((128, 32, 128), (256, 32, 128)))
_LAST_FIRES: Final = ((256, 48, 192), (384, 48, 192), (384, 64, 256), (512, 64, 256))
"""Channels that come in, that are squeezed to, and that each half expands to."""


class Fire(nn.Module):  # type: ignore[misc]  # torch is not in this environment
    """SqueezeNet's module: few channels in between, and two convolutions side by side."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Both halves, one after the other."""
        few = torch.relu(self.squeeze(x))
        return torch.cat([torch.relu(self.expand1x1(few)), torch.relu(self.expand3x3(few))], 1)


class SqueezeNet11(nn.Module):  # type: ignore[misc]  # torch is not in this environment
    """SqueezeNet 1.1."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, stride=2), nn.ReLU()]
        for fires in (*_FIRES, _LAST_FIRES):
            layers += [nn.MaxPool2d(3, 2, ceil_mode=True), *(Fire(*fire) for fire in fires)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Conv2d(512, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A score for each class."""
        scores: torch.Tensor = self.classifier(self.features(x))
        return torch.flatten(scores, 1)


class Vgg16(nn.Module):  # type: ignore[misc]  # torch is not in this environment
    """VGG with 16 layers that have weights."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels, convolutions in _VGG16:
            for _ in range(convolutions):
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
                before = channels
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(before * 49, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, CLASSES),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A score for each class."""
        pooled = torch.flatten(self.avgpool(self.features(x)), 1)
        scores: torch.Tensor = self.classifier(pooled)
        return scores


_OWN: Final[Mapping[str, Callable[[], nn.Module]]] = {"squeezenet1_1": SqueezeNet11, "vgg16": Vgg16}


def empty(name: str) -> Any:
    """A model that has its layers and no memory for weights yet."""
    with torch.device("meta"):
        if name in _OWN:
            return _OWN[name]()
        import torchvision

        return torchvision.models.get_model(name, weights=None)
