import sys
from pathlib import Path

import pytest

from serving import environment


@pytest.fixture
def without_torchserve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr(environment, "_OWN", tmp_path / "bin" / "python")
    monkeypatch.delenv(environment.PYTHON_ENV, raising=False)
    return monkeypatch


@pytest.mark.usefixtures("without_torchserve")
def test_without_torchserve_the_way_out_is_said() -> None:
    with pytest.raises(environment.ServingMissing, match="run `make serving`"):
        environment.python()


def test_an_interpreter_may_be_named(without_torchserve: pytest.MonkeyPatch) -> None:
    without_torchserve.setenv(environment.PYTHON_ENV, sys.executable)

    assert environment.python() == Path(sys.executable)


def test_a_named_interpreter_that_is_none_is_said(
    without_torchserve: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_torchserve.setenv(environment.PYTHON_ENV, str(tmp_path / "nothing"))

    with pytest.raises(environment.ServingMissing, match="nothing' is no program"):
        environment.python()


@pytest.mark.usefixtures("without_torchserve")
def test_the_checkouts_own_environment_is_found(tmp_path: Path) -> None:
    own = tmp_path / "bin" / "python"
    own.parent.mkdir()
    own.touch()

    assert environment.python() == own


def test_torchserves_own_programs_come_first_and_java_may_be_the_machines() -> None:
    interpreter = Path(sys.executable)

    found = environment.variables(interpreter)

    assert found["PATH"].startswith(f"{interpreter.parent}:")
    assert ("JAVA_HOME" in found) == (environment.java_home(interpreter) is not None)
