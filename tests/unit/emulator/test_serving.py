"""What real serving needs of the machine, and what is said when it is not there."""

from pathlib import Path

import pytest

from catalog.names import IMAGE_LOAD, IMAGE_SERVING
from emulator import serving
from emulator.kube.images import PROCESS_IMAGES, process_image
from serving.environment import PYTHON_ENV
from serving.models import MODELS


@pytest.fixture
def interpreter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A Python with TorchServe, as far as anybody looks; the cache is empty."""
    path = tmp_path / "bin" / "python"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\necho packing >&2\necho no space left >&2\nexit 1\n")
    path.chmod(0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr(serving, "locate", lambda name: Path(f"/cache/{name}-1/{name}"))
    monkeypatch.setenv(PYTHON_ENV, str(path))
    monkeypatch.setenv("RIGHTSIZE_CACHE", str(tmp_path / "cache"))
    return path


def test_modelled_serving_has_the_provisioner_alone_as_a_process() -> None:
    assert serving.images(serving.MODELLED) == PROCESS_IMAGES


def test_real_serving_adds_the_model_server_and_the_load(interpreter: Path) -> None:
    images = serving.images(serving.REAL)
    server, load = (process_image(f"{name}:0.1.0", images) for name in (IMAGE_SERVING, IMAGE_LOAD))

    assert server is not None
    assert server.command(["--start"]) == (
        str(interpreter),
        str(interpreter.parent / "torchserve"),
        "--start",
    )
    assert server.variables["PATH"].startswith(f"{interpreter.parent}:")
    assert load is not None
    assert load.variables["PATH"].startswith("/cache/hey-1:/cache/vegeta-1:")


def test_without_torchserve_the_way_out_is_said(
    interpreter: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(PYTHON_ENV, str(tmp_path / "nothing"))

    with pytest.raises(serving.ServingFault, match="--serving real: RIGHTSIZE_SERVING_PYTHON"):
        serving.prepare()
    assert interpreter.exists()


@pytest.mark.usefixtures("interpreter")
def test_archives_that_cannot_be_packed_are_said_in_the_packers_last_words() -> None:
    with pytest.raises(serving.ServingFault, match="archives not packed: no space left"):
        serving.prepare()


@pytest.mark.usefixtures("interpreter")
def test_archives_that_are_there_are_not_packed_again() -> None:
    serving.model_store().mkdir(parents=True)
    for name in MODELS:
        (serving.model_store() / f"{name}.mar").touch()

    serving.prepare()
