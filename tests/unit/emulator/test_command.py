"""The command's faults: one line, the right exit code, nothing left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def emulator(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "emulator", *arguments],
        cwd=ROOT,
        env={**os.environ, "EMULATOR_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [["env"], ["bill"], ["bill", "--json"], ["fault", "list"], ["fault", "slow-boot", "60", "--json"]],
)
def test_without_an_emulator_there_is_nothing_to_show(tmp_path: Path, command: list[str]) -> None:
    answer = emulator(tmp_path / "home", *command)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.splitlines() == [
        f"no emulator is running in {tmp_path / 'home'}; start one with `python -m emulator start`"
    ]
    assert not (tmp_path / "home").exists()


def test_the_status_says_that_nothing_runs(tmp_path: Path) -> None:
    answer = emulator(tmp_path / "home", "status", "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout) == {"running": False, "home": str(tmp_path / "home")}


def test_stopping_nothing_is_fine(tmp_path: Path) -> None:
    answer = emulator(tmp_path / "home", "stop")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "no emulator is running" in answer.stdout
    assert not (tmp_path / "home").exists()


def test_a_dead_daemons_note_is_not_believed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "emulator.json").write_text(json.dumps({"pid": os.getpid(), "endpoint": "http://127.0.0.1:1"}))
    assert emulator(home, "env").returncode == 1


def test_a_missing_tool_is_one_line_and_nothing_starts(tmp_path: Path) -> None:
    empty = str(tmp_path / "empty")
    answer = emulator(tmp_path / "home", "start", RIGHTSIZE_CACHE=empty, PATH=empty)
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert line.startswith("emulator: kwok:")
    assert "make tools" in line
    assert not (tmp_path / "home" / "emulator.json").exists()


def test_a_folder_that_is_not_an_emulators_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear")
    answer = emulator(tmp_path, "start")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["letters"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["start", "--port", "99999"],
        ["begin"],
        ["bill", "--xml"],
        ["fault", "earthquake"],
        ["fault", "stockout", "VM.Standard.A1.Flex"],
        ["fault", "never-join", "many"],
        ["fault", "--cloud", "aws", "list"],
        ["fault", "--cloud", "oke", "clear"],
    ],
)
def test_wrong_usage_is_another_exit_code(tmp_path: Path, arguments: list[str]) -> None:
    assert emulator(tmp_path / "home", *arguments).returncode == 2
