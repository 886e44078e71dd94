"""Making a cluster whose control plane does not come up whole at once."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from emulator.kube import controlplane, ports
from emulator.kube.cluster import KubeCluster
from emulator.kube.controlplane import ComponentEnded
from emulator.kube.spec import ClusterFailed
from tests.support.kube import spec


@dataclass
class Attempts:
    """Control planes that fail, in turn, with what is given."""

    faults: list[ClusterFailed]
    made: int = 0
    ports: list[Any] = field(default_factory=list)

    def create(self, _name: str, _home: Path, _timing: Any, taken: Any, _repositories: Any) -> None:
        self.ports.append(taken)
        self.made += 1
        raise self.faults[self.made - 1]


@pytest.mark.parametrize(
    ("faults", "attempts", "said"),
    [
        ([ComponentEnded("metrics-server ended"), ComponentEnded("again")], 2, "again"),
        ([ComponentEnded("metrics-server ended"), ClusterFailed("no kwokctl")], 2, "no kwokctl"),
        ([ClusterFailed("no kwokctl")], 1, "no kwokctl"),
    ],
)
def test_a_cluster_is_made_once_more_only_when_a_component_did_not_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faults: list[ClusterFailed], attempts: int, said: str
) -> None:
    planes = Attempts(faults)
    monkeypatch.setattr(controlplane, "create", planes.create)
    with pytest.raises(ClusterFailed, match=said):
        KubeCluster.create(spec("again", tmp_path / "cluster"))
    assert planes.made == attempts
    assert ports.reserve(tmp_path / "cluster") == planes.ports[0], "the ports were given back"
    ports.release(planes.ports[0])


def test_what_ended_is_named_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "metrics-server.log").write_text("starting\nno configmap\n")
    with pytest.raises(ComponentEnded, match=r"metrics-server \(starting \| no configmap\)"):
        controlplane.require_components("c", tmp_path)


def test_nothing_ends_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = subprocess.Popen(["sleep", "60"])
    try:
        monkeypatch.setattr(controlplane, "_COMPONENTS", frozenset({"sleep"}))
        monkeypatch.setattr(controlplane, "_OURS", frozenset({"sleep"}))
        monkeypatch.setattr(
            controlplane, "_is_component", lambda process, _prefix: process.pid == running.pid
        )
        controlplane.require_components("c", tmp_path)
    finally:
        running.kill()
        running.wait()
