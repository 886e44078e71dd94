"""What the emulator leaves for pulumi and kubectl: kubeconfig, stand-in, stack files, environment."""

import json
import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import container_v1

from catalog.timing import DEMO
from emulator import keys
from emulator.accounts import configurations
from emulator.cloud.pace import pace_of
from emulator.contexts import Contexts
from emulator.environment import exports
from emulator.gcp.state import Cluster as GoogleCluster
from emulator.home import Home, HomeFault
from emulator.kube.spec import ClusterSpec
from emulator.oci import account
from emulator.oci.state import Cluster
from emulator.oci.wire import CreateCluster
from emulator.program import Program, ProgramFault, merged
from tests.support.fake_kube import FakeKube


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "it's a home")
    home.prepare()
    return home


def a_cluster(home: Home, name: str) -> Cluster:
    details = CreateCluster(name=name, compartment_id="c", vcn_id="v", kubernetes_version="v1.36.3")
    cluster = Cluster(f"ocid1.cluster.{name}", details, pace_of({}, name), home.clusters / name, 0.0, name)
    spec = ClusterSpec(name, home.clusters / name, DEMO, "oke", "documented")
    cluster.kube = FakeKube(spec, server=f"https://{name}")
    return cluster


def a_google_cluster(home: Home) -> GoogleCluster:
    spec = ClusterSpec("gke", home.clusters / "gke", DEMO, "gke", "documented")
    message = container_v1.Cluster(name="gke")
    pace = pace_of({}, "gke")
    return GoogleCluster(
        message,
        "us-central1-a",
        ("us-central1-a",),
        "f" * 64,
        pace,
        spec.home,
        "gke",
        0.0,
        kube=FakeKube(spec),
    )


def contexts_in(home: Home) -> tuple[list[str], str]:
    config = yaml.safe_load(home.kubeconfig.read_text())
    return [context["name"] for context in config["contexts"]], config["current-context"]


def test_the_newest_cluster_is_the_current_context(home: Home) -> None:
    contexts = Contexts(home)
    contexts.prepare()
    one, two = a_cluster(home, "oke"), a_cluster(home, "oke-dynamic")
    contexts.add(one)
    contexts.add(two)
    assert contexts_in(home) == (["oke", "oke-dynamic"], "oke-dynamic")
    contexts.remove(two)
    assert contexts_in(home) == (["oke"], "oke")
    contexts.remove(one)
    contexts.remove(one)
    assert contexts_in(home) == ([], "")
    assert home.kubeconfig.stat().st_mode & 0o077 == 0


def test_the_kubeconfig_keeps_what_a_user_set_for_another_context(home: Home) -> None:
    contexts = Contexts(home)
    contexts.prepare()
    contexts.add(a_cluster(home, "oke"))
    config = yaml.safe_load(home.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = "inference"
    home.kubeconfig.write_text(yaml.safe_dump(config))
    contexts.add(a_cluster(home, "oke-dynamic"))
    assert yaml.safe_load(home.kubeconfig.read_text())["contexts"][0]["context"]["namespace"] == "inference"


def run_oci(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([home.bin / "oci", *arguments], capture_output=True, text=True, check=False)


def test_the_oci_command_gives_a_credential_of_the_cluster(home: Home) -> None:
    contexts = Contexts(home)
    contexts.prepare()
    cluster = a_cluster(home, "oke")
    contexts.add(cluster)
    arguments = ["ce", "cluster", "generate-token", "--cluster-id", cluster.id, "--region", account.REGION]
    answer = json.loads(run_oci(home, *arguments).stdout)
    assert answer["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert answer["status"] == {"clientCertificateData": "certificate", "clientKeyData": "key"}
    started = time.monotonic()
    for _ in range(5):
        run_oci(home, *arguments)
    assert (time.monotonic() - started) / 5 < 0.25


def test_the_oci_command_says_when_a_cluster_is_gone(home: Home) -> None:
    Contexts(home).prepare()
    refused = run_oci(home, "ce", "cluster", "generate-token", "--cluster-id", "ocid1.cluster.none")
    assert refused.returncode == 1
    assert "ocid1.cluster.none" in refused.stderr
    assert refused.stdout == ""


def checkout(path: Path, **stacks: dict[str, Any]) -> Path:
    path.mkdir()
    (path / "Pulumi.yaml").write_text("name: rightsize\nruntime: python\n")
    for name, config in stacks.items():
        (path / f"Pulumi.{name.replace('_', '-')}.yaml").write_text(yaml.safe_dump({"config": config}))
    return path


def test_stack_files_are_copied_with_the_accounts_values(home: Home, tmp_path: Path) -> None:
    source = checkout(
        tmp_path / "checkout",
        oke_dynamic={"rightsize:variant": "dynamic", "rightsize:provisioner": {"mode": "bin-select"}},
        oke={},
        gke={},
    )
    accounts = configurations("http://127.0.0.1:1")
    program = Program(source, home, accounts, Path("pulumi"))
    assert program.write() == ("gke", "oke", "oke-dynamic")
    project = yaml.safe_load((home.program / "Pulumi.yaml").read_text())
    config = yaml.safe_load((home.program / "Pulumi.oke-dynamic.yaml").read_text())["config"]
    assert project["main"] == str(source)
    assert config["rightsize:variant"] == "dynamic"
    assert config["rightsize:provisioner"] == {"mode": "bin-select", "endpoint": "http://127.0.0.1:1"}
    assert config["oci:fingerprint"] == accounts["oke"]["oci:fingerprint"]
    assert config["rightsize:timing"] == "demo"
    assert sorted(path.name for path in source.iterdir()) == [
        "Pulumi.gke.yaml",
        "Pulumi.oke-dynamic.yaml",
        "Pulumi.oke.yaml",
        "Pulumi.yaml",
    ]


def test_stacks_of_each_cloud_get_their_own_clouds_account(home: Home, tmp_path: Path) -> None:
    source = checkout(tmp_path / "checkout", oke={}, gke={})
    Program(source, home, configurations("http://127.0.0.1:1"), Path("pulumi")).write()
    shown = {
        stack: yaml.safe_load((home.program / f"Pulumi.{stack}.yaml").read_text())["config"]
        for stack in ("oke", "gke")
    }
    key = json.loads(shown["gke"]["gcp:credentials"])
    assert (key["type"], key["token_uri"]) == ("service_account", "http://127.0.0.1:1/token")
    assert {name.partition(":")[0] for name in shown["gke"]} == {"gcp", "rightsize"}
    assert {name.partition(":")[0] for name in shown["oke"]} == {"oci", "rightsize"}
    assert shown["gke"]["rightsize:project"] == "emulated-project"
    assert "rightsize:compartment" not in shown["gke"]


def test_gkes_auth_plugin_gives_a_credential_of_the_cluster_it_is_told(home: Home) -> None:
    contexts = Contexts(home)
    contexts.prepare()
    cluster = a_google_cluster(home)
    contexts.add(cluster)
    command = home.bin / "gke-gcloud-auth-plugin"

    def run(**spec: Any) -> subprocess.CompletedProcess[str]:
        told = json.dumps({"kind": "ExecCredential", "spec": {"interactive": False, **spec}})
        environment = {**os.environ, "KUBERNETES_EXEC_INFO": told}
        return subprocess.run([command], env=environment, capture_output=True, text=True, check=False)

    answer = run(cluster={"server": "https://127.0.0.1:6443", "certificate-authority-data": "Y2E="})
    assert json.loads(answer.stdout)["status"]["clientKeyData"] == "key"
    assert run(cluster={"server": "https://127.0.0.1:1"}).returncode == 1
    assert "provideClusterInfo" in run().stderr
    contexts.remove(cluster)
    assert run(cluster={"server": "https://127.0.0.1:6443"}).returncode == 1


def test_a_stack_file_that_is_not_yaml_is_named(home: Home, tmp_path: Path) -> None:
    source = checkout(tmp_path / "checkout", oke={})
    (source / "Pulumi.oke.yaml").write_text("config: [")
    with pytest.raises(ProgramFault, match=r"Pulumi\.oke\.yaml: not YAML"):
        Program(source, home, configurations(""), Path("pulumi")).write()


def test_merging_keeps_other_keys_of_objects_and_replaces_the_rest() -> None:
    before = {"a": {"x": 1, "y": 2}, "b": [1], "c": "old", "d": "kept"}
    after = merged(before, {"a": {"y": 3}, "b": [2], "c": "new", "e": {"z": 1}})
    assert after == {"a": {"x": 1, "y": 3}, "b": [2], "c": "new", "d": "kept", "e": {"z": 1}}


def test_exports_survive_a_shell(home: Home) -> None:
    values = {"A": "it's $HOME; `x`", "B": str(home.path)}
    printed = subprocess.run(
        ["/bin/sh", "-c", f'{exports(values)}\nprintf "%s\\n" "$A" "$B"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.splitlines() == list(values.values())
    assert shlex.split(exports(values))[0] == "export"


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with pytest.raises(HomeFault, match="not an emulator's folder"):
        Home(tmp_path).prepare()
    assert [entry.name for entry in tmp_path.iterdir()] == ["state"]


def test_wiping_keeps_the_log_and_the_last_bill(home: Home) -> None:
    home.last_bill.write_text("{}")
    for name in ("state", "clusters"):
        (home.path / name / "x").mkdir(parents=True)
    home.wipe()
    assert {path.name for path in home.path.iterdir()} == {".rightsize-emulator", "bill.json", "log"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"EMULATOR_HOME": "/a/b"}, "/a/b"),
        ({"XDG_STATE_HOME": "/s"}, "/s/rightsize/emulator"),
        ({}, str(Path("~/.local/state/rightsize/emulator").expanduser())),
    ],
)
def test_the_home_is_where_the_environment_says(environ: dict[str, str], expected: str) -> None:
    assert str(Home.of_environment(environ).path) == expected


def test_an_api_key_has_the_fingerprint_that_the_sdk_wants() -> None:
    from oci.config import validate_config

    key = keys.generate()
    validate_config(
        {
            "user": account.USER,
            "tenancy": account.TENANCY,
            "fingerprint": key.fingerprint,
            "region": account.REGION,
            "key_content": key.private_pem,
        }
    )
