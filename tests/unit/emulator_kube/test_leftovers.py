import subprocess
import sys
from pathlib import Path

import psutil

from emulator.kube.podfiles import close_all_volumes, folder_of, open_volumes, record_process
from emulator.kube.processes import kill_leftovers

PARENT = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); sys.stdin.read()"


def test_what_a_pods_process_started_ends_with_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "uid-1")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        record_process(folder, psutil.Process(parent.pid))

        kill_leftovers(tmp_path)

        parent.wait(10)
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_volumes_are_removed_and_no_link_to_them_stays(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "0c9d7a52-with-a-long-uid")
    short = open_volumes(folder)
    (short / "model").write_text("large")
    assert folder.volumes.joinpath("model").exists()

    close_all_volumes(tmp_path)

    assert not short.is_symlink()
    assert not folder.volumes.exists()
    assert folder.work.exists()


def test_a_volumes_path_is_short_enough_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    short = open_volumes(folder_of(deep, "0c9d7a52-1b0b-4f4e-9a4e-1f6a4b1c2d3e"))

    assert len(str(short / "scratch" / ".ts.sock.9000")) < 107
    close_all_volumes(deep)
