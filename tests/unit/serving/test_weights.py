import pickle
from pathlib import Path
from typing import get_args

import pytest

numpy = pytest.importorskip("numpy")
torch = pytest.importorskip("torch", reason="real serving is not installed (make serving)")
torchvision = pytest.importorskip("torchvision")
pytest.importorskip("model_archiver")

from serving import cli  # noqa: E402
from serving import weights as room  # noqa: E402  # after the skip
from serving.archive import Misfit, pack, require_fit  # noqa: E402
from serving.models import MODELS, TORCHVISION  # noqa: E402

SQUEEZENET = MODELS["squeezenet1_1"]


def test_a_keras_kernel_comes_in_torch_layout_with_every_value_in_its_place() -> None:
    kernel = numpy.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5)

    state = room.from_keras({"fire9/squeeze1x1": (kernel, numpy.zeros(5, "float32"))})

    weight = state["features.12.squeeze.weight"]
    assert weight.shape == (5, 4, 2, 3)
    assert all(
        weight[output, channel, row, column] == kernel[row, column, channel, output]
        for row in range(2)
        for column in range(3)
        for channel in range(4)
        for output in range(5)
    )


def test_the_packaged_weights_are_exactly_what_torchvisions_squeezenet_takes() -> None:
    weights = room.weights_of(SQUEEZENET, room.PACKAGED)
    network = torchvision.models.squeezenet1_1(weights=None)

    assert {name: value.shape for name, value in weights.state.items()} == {
        name: value.shape for name, value in network.state_dict().items()
    }


def test_seeded_weights_are_the_same_twice_and_leave_the_generator_alone() -> None:
    before = torch.random.get_rng_state()

    first, second = (room.weights_of(SQUEEZENET, room.SEEDED).state for _ in range(2))

    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_model_without_a_package_says_what_there_is() -> None:
    with pytest.raises(
        room.NoWeights, match="vgg16: no package brings its weights; choose torchvision or seeded"
    ):
        room.weights_of(MODELS["vgg16"], room.PACKAGED)


def test_another_models_weights_are_refused() -> None:
    stranger = room.Weights("mine", {"features.0.weight": torch.zeros(1)}, TORCHVISION)

    with pytest.raises(Misfit, match=r"squeezenet1_1: mine weights do not fit(.|\n)*classifier.1.weight"):
        require_fit(SQUEEZENET, stranger)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("never",)

    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps(Evil()))

    with path.open("rb") as file, pytest.raises(pickle.UnpicklingError, match=r"builtins\.print"):
        room._Arrays(file, encoding="latin1").load()


def test_classes_are_those_of_imagenet_in_its_order() -> None:
    names = room.class_names(SQUEEZENET)

    assert len(names) == 1000
    assert (names[281], names[285]) == ("tabby", "Egyptian_cat")


def test_the_command_offers_every_source_there_is() -> None:
    assert set(get_args(cli.Source)) == {room.AUTO, *room.SOURCES}


def test_an_unpacked_archive_is_a_folder_and_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    small = room.PACKAGED
    packed, _ = pack(SQUEEZENET, small, tmp_path)
    assert packed.is_file()

    for _ in range(2):
        archive, source = pack(SQUEEZENET, small, tmp_path, unpacked=True)

    assert (archive, source) == (tmp_path / "squeezenet1_1.mar", small)
    assert {one.name for one in archive.iterdir()} == {
        "MAR-INF",
        "architectures.py",
        "handler.py",
        "model.json",
        "squeezenet1_1.pt",
    }
    assert [one.name for one in tmp_path.iterdir()] == [archive.name]
