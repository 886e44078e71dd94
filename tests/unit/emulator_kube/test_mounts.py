from pathlib import Path
from typing import Any

import pytest

from emulator.kube import mounts
from emulator.kube.environment import Source
from emulator.kube.images import Locality
from emulator.kube.torchserve import localised

CONFIG = Source("configmaps", "settings")


def pod(*, optional: bool = False) -> dict[str, Any]:
    return {
        "spec": {
            "volumes": [
                {"name": "config", "configMap": {"name": "settings", "optional": optional}},
                {"name": "scratch", "emptyDir": {}},
                {"name": "kube-api-access", "projected": {"sources": []}},
            ],
            "containers": [
                {
                    "name": "main",
                    "volumeMounts": [
                        {"name": "config", "mountPath": "/etc/torchserve"},
                        {"name": "scratch", "mountPath": "/tmp"},
                        {"name": "kube-api-access", "mountPath": "/var/run/secrets"},
                    ],
                }
            ],
        }
    }


def test_config_maps_become_files_and_empty_dirs_folders(tmp_path: Path) -> None:
    paths = mounts.lay_out(pod(), tmp_path, {CONFIG: {"config.properties": "a=b"}})

    assert paths == {"/etc/torchserve": tmp_path / "config", "/tmp": tmp_path / "scratch"}
    assert (tmp_path / "config" / "config.properties").read_text() == "a=b"
    assert list(mounts.configuration(pod(), tmp_path)) == [tmp_path / "config" / "config.properties"]
    assert list(paths["/tmp"].iterdir()) == []


def test_what_is_mounted_has_to_be_there_unless_it_is_optional() -> None:
    assert mounts.sources(pod()) == (CONFIG,)
    assert mounts.missing(pod(), {CONFIG: None}) == ["volume 'config': configmap 'settings' not found"]
    assert mounts.missing(pod(optional=True), {CONFIG: None}) == []
    assert mounts.missing(pod(), {CONFIG: {}}) == []


@pytest.mark.parametrize(
    ("seen", "real"),
    [
        ("/tmp", "/real/scratch"),
        ("/tmp/logs", "/real/scratch/logs"),
        ("/tmp/deep/x", "/elsewhere/x"),
        ("/tmpfile", "/tmpfile"),
        ("a/tmp", "a/tmp"),
        ("--start", "--start"),
    ],
)
def test_paths_of_the_container_lead_to_the_real_ones(seen: str, real: str) -> None:
    paths = {"/tmp": Path("/real/scratch"), "/tmp/deep": Path("/elsewhere")}

    assert mounts.real_path(seen, paths) == real


def test_torchserve_listens_on_the_pods_address_alone_with_every_port() -> None:
    here = Locality("127.1.2.3", {"/tmp": Path("/real"), "/home/model-server/model-store": Path("/store")})
    text = (
        "# ours\ninference_address=http://0.0.0.0:8080\nmanagement_address = http://127.0.0.1:9081\n"
        "model_store=/home/model-server/model-store\nload_models=a=a.mar\nvmargs=-Xmx1g -Djava.io.tmpdir=/tmp\n"
    )

    rows = dict(line.split("=", 1) for line in localised(text, here).splitlines())

    assert rows == {
        "inference_address": "http://127.1.2.3:8080",
        "management_address": "http://127.1.2.3:9081",
        "metrics_address": "http://127.1.2.3:8082",
        "grpc_inference_address": "127.1.2.3",
        "grpc_management_address": "127.1.2.3",
        "model_store": "/store",
        "load_models": "a=a.mar",
        "vmargs": "-Xmx1g -Djava.io.tmpdir=/real",
    }
