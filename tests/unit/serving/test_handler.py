import io
import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003  # fixtures are annotated
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="real serving is not installed (make serving)")
pytest.importorskip("torchvision")
pytest.importorskip("ts")
from PIL import Image  # noqa: E402
from torchvision.transforms import functional  # noqa: E402
from ts.utils.util import PredictionException  # noqa: E402

from catalog.names import PROBE_HEADER  # noqa: E402
from components.guard import TOKEN_FILE_ENV  # noqa: E402
from serving import handler  # noqa: E402
from serving.archive import description  # noqa: E402
from serving.models import BGR, CAFFE, MODELS, TORCHVISION, Pictures  # noqa: E402
from serving.weights import PACKAGED, weights_of  # noqa: E402

MODEL = MODELS["squeezenet1_1"]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> handler.ImageClassifier:
    folder: Path = tmp_path_factory.mktemp("model")
    weights = weights_of(MODEL, PACKAGED)
    torch.save(dict(weights.state), folder / "weights.pt")
    (folder / handler.DESCRIPTION_FILE).write_text(description(MODEL, weights))
    made = handler.ImageClassifier()
    made.initialize(
        SimpleNamespace(
            system_properties={"model_dir": str(folder), "gpu_id": None},
            manifest={"model": {"serializedFile": "weights.pt"}},
        )
    )
    return made


def request(headers: dict[str, str]) -> Any:
    """What TorchServe tells of a request, as far as the handler asks."""
    return SimpleNamespace(get_request_header=lambda _index, name: headers.get(name))


REQUEST = request({})


def encoded(picture: Image.Image, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form)
    return buffer.getvalue()


def cat() -> Image.Image:
    data = pytest.importorskip("skimage.data")
    return Image.fromarray(data.chelsea())


def test_a_cat_is_a_cat(classifier: handler.ImageClassifier) -> None:
    (answer,) = classifier.handle([{"body": encoded(cat())}], REQUEST)

    assert list(answer)[:4] == ["Egyptian_cat", "tiger_cat", "tabby", "lynx"]
    assert answer["Egyptian_cat"] == pytest.approx(0.520, abs=5e-3)
    assert answer["tiger_cat"] == pytest.approx(0.285, abs=5e-3)
    assert answer["tabby"] == pytest.approx(0.175, abs=5e-3)


@pytest.mark.parametrize("size", [(640, 427), (427, 640), (225, 300), (227, 227)])
@pytest.mark.parametrize("how", [CAFFE, TORCHVISION], ids=["caffe", "torchvision"])
def test_a_picture_is_prepared_as_torchvision_does_it(
    classifier: handler.ImageClassifier, how: Pictures, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Image.effect_noise(size, 90).convert("RGB")
    method = functional.InterpolationMode(how.interpolation)
    resized = functional.resize(picture, list(how.resize), method, antialias=True)
    expected = functional.pil_to_tensor(functional.center_crop(resized, how.crop)).float() / how.divisor
    if how.channels == BGR:
        expected = expected.flip(0)
    expected = functional.normalize(expected, how.mean, how.deviation)
    monkeypatch.setattr(classifier, "_description", {**classifier._description, **asdict(how)})
    for name, values in (("_mean", how.mean), ("_deviation", how.deviation)):
        monkeypatch.setattr(classifier, name, torch.tensor(values).view(3, 1, 1))

    assert torch.allclose(classifier._prepared(encoded(picture)), expected, atol=1e-5)


@pytest.mark.parametrize("part", ["data", "body"])
def test_a_picture_may_be_the_body_or_a_forms_field(classifier: handler.ImageClassifier, part: str) -> None:
    (answer,) = classifier.handle([{part: bytearray(encoded(cat()))}], REQUEST)

    assert next(iter(answer)) == "Egyptian_cat"
    assert len(answer) == handler.CLASSES
    assert json.loads(json.dumps(answer)) == answer


def test_the_variable_of_the_token_is_the_manifests() -> None:
    assert handler.TOKEN_FILE_ENV == TOKEN_FILE_ENV


def test_a_probe_is_answered_without_a_picture(classifier: handler.ImageClassifier) -> None:
    assert handler.PROBE_HEADER == PROBE_HEADER
    probe = request({handler.PROBE_HEADER: "ready"})

    assert classifier.handle([{"body": b""}], probe) == [{"status": "ready"}]


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_who_brings_the_token_is_let_in(
    classifier: handler.ImageClassifier, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "_token", "a-token")
    caller = request({name: "Bearer a-token"})

    assert len(classifier.handle([{"body": encoded(Image.new("L", (9, 9)))}], caller)[0]) == handler.CLASSES


@pytest.mark.parametrize("brought", [{}, {"Authorization": "Bearer another"}, {"Authorization": "a-token"}])
def test_who_brings_no_token_is_told_what_is_expected_and_a_probe_needs_none(
    classifier: handler.ImageClassifier, brought: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "_token", "a-token")

    with pytest.raises(PredictionException) as refused:
        classifier.handle([{"body": encoded(cat())}], request(brought))
    assert refused.value.error_code == 401
    assert "Authorization: Bearer TOKEN" in refused.value.message
    probe = request({handler.PROBE_HEADER: "ready"})
    assert classifier.handle([{"body": b""}], probe) == [handler.READY]


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_pictures_of_other_kinds_are_taken(classifier: handler.ImageClassifier, mode: str) -> None:
    (answer,) = classifier.handle([{"body": encoded(Image.new(mode, (40, 500)))}], REQUEST)

    assert sum(answer.values()) <= 1


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", 400, "no picture: expected the bytes of a JPEG or PNG"),
        (b"hello", 400, "not a picture: expected a JPEG or PNG"),
        (encoded(Image.effect_noise((300, 300), 90))[:9000], 400, "not a picture that can be read"),
        (encoded(Image.new("1", (9000, 9000))), 413, "9000 x 9000 pixels; at most 50000000"),
        (encoded(Image.new("1", (20000, 20000))), 413, "too many pixels"),
    ],
    ids=["nothing", "text", "cut off", "large", "bomb"],
)
def test_what_is_no_picture_is_the_callers_fault(
    classifier: handler.ImageClassifier, body: bytes, code: int, words: str
) -> None:
    with pytest.raises(PredictionException) as refused:
        classifier.handle([{"body": body}], REQUEST)

    assert refused.value.error_code == code
    assert words in refused.value.message
