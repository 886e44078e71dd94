"""The run's own emulated cloud: used by its command line, stopped however the run ends."""

import os
from pathlib import Path

import pytest

from experiments import emulated
from experiments.emulated import EmulatedCloud, own_cloud
from experiments.fault import Fault

FAKE = """
import os, pathlib, sys
home = pathlib.Path(os.environ["EMULATOR_HOME"])
with (pathlib.Path(__file__).parent / "calls").open("a") as calls:
    calls.write(sys.argv[1] + "\\n")
refused = os.environ.get("FAKE_REFUSES", "")
if sys.argv[1] == refused:
    sys.exit("error: port 8080 is taken; choose another with --port")
if sys.argv[1] == "env":
    print("export PULUMI_HOME='/with space/$HOME'\\nexport PATH=\\"/tools:$PATH\\"")
if sys.argv[1] == "bill":
    print('{"instances": []}')
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "checkout" / "emulator"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(FAKE)
    monkeypatch.setattr(emulated, "ROOT", package.parent)
    return package / "calls"


def test_within_the_run_this_process_speaks_to_its_cloud(calls: Path, tmp_path: Path) -> None:
    before = dict(os.environ)
    with own_cloud(tmp_path / "home") as cloud:
        assert os.environ["PULUMI_HOME"] == "/with space/$HOME"
        assert os.environ["PATH"] == f"/tools:{before['PATH']}"
        assert cloud.bill().strip() == '{"instances": []}'
    assert dict(os.environ) == before
    assert calls.read_text().split() == ["start", "env", "bill", "stop"]
    assert not (tmp_path / "home").exists()


def test_it_is_stopped_when_the_run_fails_and_its_logs_are_kept(calls: Path, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="the run's"), own_cloud(tmp_path / "home"):
        raise Fault("the run's")
    assert calls.read_text().split()[-1] == "stop"
    assert (tmp_path / "home").exists()


def test_what_a_killed_run_left_is_stopped_first(calls: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    EmulatedCloud(tmp_path / "home").start()
    assert calls.read_text().split() == ["stop", "start"]


def test_the_emulators_own_line_is_the_fault(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_REFUSES", "start")
    with pytest.raises(Fault) as fault, own_cloud(tmp_path / "home"):
        pass
    assert str(fault.value) == "emulator start: error: port 8080 is taken; choose another with --port"
    assert calls.read_text().split() == ["start", "stop"]


def test_a_cloud_that_does_not_stop_is_said_beside_the_runs_own_fault(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_REFUSES", "stop")
    said = "the run's; and the emulator was not stopped: emulator stop: error: port 8080"
    with pytest.raises(Fault, match=said), own_cloud(tmp_path / "home"):
        raise Fault("the run's")
    assert calls.exists()
