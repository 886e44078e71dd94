import sys

import pytest

torch = pytest.importorskip("torch", reason="real serving is not installed (make serving)")
torchvision = pytest.importorskip("torchvision")

from serving import architectures  # noqa: E402  # after the skip
from serving.models import MODELS  # noqa: E402


@pytest.mark.parametrize("name", MODELS)
def test_layers_are_those_of_torchvision(name: str) -> None:
    theirs = torchvision.models.get_model(name, weights=None).eval()
    ours = architectures.empty(name).eval()
    ours.load_state_dict(theirs.state_dict(), assign=True)
    picture = torch.rand(1, 3, 227, 227)

    with torch.inference_mode():
        assert torch.allclose(ours(picture), theirs(picture), atol=1e-5)


def test_an_empty_model_has_no_memory_for_weights() -> None:
    assert {one.device.type for one in architectures.empty("vgg16").parameters()} == {"meta"}


def test_another_model_has_torchvisions_layers() -> None:
    known = set(torchvision.models.get_model("resnet18", weights=None).state_dict())

    assert set(architectures.empty("resnet18").state_dict()) == known


@pytest.mark.parametrize("name", MODELS)
def test_the_models_that_are_packed_start_without_torchvision(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)

    assert architectures.empty(name) is not None
