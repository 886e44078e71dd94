"""How many volumes a node takes: as its driver says, or as its machine does before it is one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.volumes import GOOGLE, ORACLE, attachments
from provisioner.core.attached import attached
from provisioner.core.decide import decide
from provisioner.core.model import INSTANCE_TYPE, Node, Pod
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES
from provisioner.core.snapshot import Snapshot
from provisioner.core.storage import Storage
from provisioner.question import Options, read
from tests.support.packing import rounds
from tests.support.provision import ANY_ARCH, GKE, NOW, OKE, catalog, codes, node, offering, pod

every_mode = pytest.mark.parametrize("mode", MODES)
BLOCK = attachments(ORACLE)
DISKS = attachments(GOOGLE)


def claim(name: str, volume: str = "") -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"volumeName": volume, "storageClassName": "late"},
    }


def late(driver: str = ORACLE) -> dict[str, Any]:
    return {
        "kind": "StorageClass",
        "metadata": {"name": "late"},
        "provisioner": driver,
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def volume(name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def csi_node(name: str, driver: str = ORACLE, **allocatable: int) -> dict[str, Any]:
    return {
        "kind": "CSINode",
        "metadata": {"name": name},
        "spec": {"drivers": [{"name": driver, "allocatable": allocatable}]},
    }


def mounting(name: str, *claims: str, **changes: Any) -> Pod:
    return pod(name, claims=claims, **changes)


def of(*objects: dict[str, Any]) -> Storage:
    storage = Storage.of(objects)
    assert storage is not None
    return storage


def counted(*pods: Pod, objects: tuple[dict[str, Any], ...], name: str = BLOCK) -> list[int]:
    found, _ = attached(pods, (), of(*objects))
    return [each.requests.extended.get(name, 0) for each in found]


def taken(there: Node, *objects: dict[str, Any], name: str = BLOCK) -> int:
    _, (found,) = attached((), (there,), of(*objects))
    return found.allocatable.extended[name]


def planned(
    pods: tuple[Pod, ...], objects: list[dict[str, Any]], nodes: tuple[Node, ...] = (), **changes: Any
) -> Plan:
    policy = replace(
        ANY_ARCH,
        bin_packing_node_cpu=1000,
        bin_packing_node_memory=2**30,
        mode=changes.get("mode", "optimal"),
    )
    storage = of(*objects)
    pods, nodes = attached(pods, nodes, storage)
    market = changes.get("market", OKE)
    return decide(Snapshot(pods, nodes, storage=storage), market, policy, NOW, rounds(8))


@pytest.mark.parametrize(
    ("objects", "name"),
    [
        ((claim("data"), late()), BLOCK),
        ((claim("data", "v"), volume("v", csi={"driver": ORACLE})), BLOCK),
        ((claim("data", "v"), volume("v", csi={"driver": GOOGLE})), DISKS),
        ((claim("data", "v"), volume("v", gcePersistentDisk={"pdName": "d"})), DISKS),
        ((claim("data"), late("kubernetes.io/gce-pd")), DISKS),
    ],
)
def test_a_claim_counts_for_the_driver_of_its_volume_or_class(
    objects: tuple[dict[str, Any], ...], name: str
) -> None:
    assert counted(mounting("p", "data"), objects=objects, name=name) == [1]


def test_a_driver_without_a_known_limit_is_not_counted() -> None:
    found, _ = attached([mounting("p", "data")], (), of(claim("data"), late("nfs.csi.k8s.io")))
    assert found == (mounting("p", "data"),)


def test_a_claim_that_pods_of_a_node_share_counts_once() -> None:
    objects = (claim("data"), claim("more"), late())
    running = [mounting(name, "data", "more", node_name="n") for name in "ab"]
    assert counted(*running, objects=objects) == [2, 0]


def test_it_counts_again_on_another_node_and_for_every_pod_that_is_to_be_placed() -> None:
    pods = [mounting("a", "data", node_name="n"), mounting("b", "data", node_name="m")]
    pending = [mounting("c", "data"), mounting("d", "data")]
    assert counted(*pods, *pending, objects=(claim("data"), late())) == [1, 1, 1, 1]


def test_a_pod_that_is_finished_holds_nothing() -> None:
    pods = [
        mounting(name, "data", node_name="n", phase=phase)
        for name, phase in (("a", "Failed"), ("b", "Running"))
    ]
    assert counted(*pods, objects=(claim("data"), late()))[1] == 1


@pytest.mark.parametrize(
    ("said", "most"),
    [
        ([csi_node("n", count=2)], 2),
        ([csi_node("n", count=0)], 0),
        ([csi_node("n")], 32),
        ([csi_node("other", count=2)], 32),
    ],
    ids=["its driver", "none at all", "a driver without a limit", "no driver yet"],
)
def test_a_node_takes_what_its_driver_says_and_else_what_its_machine_does(
    said: list[dict[str, Any]], most: int
) -> None:
    assert taken(node("n"), *said) == most


def test_a_machine_is_known_by_its_type() -> None:
    there = node("n", cpu="4", labels={INSTANCE_TYPE: "c4a-standard-4"})
    assert taken(there, csi_node("other", count=2), name=DISKS) == 15


@every_mode
def test_a_full_node_gets_no_further_volume(mode: str) -> None:
    objects = [*(claim(name) for name in "abc"), late(), csi_node("n", count=2)]
    there = mounting("a", "a", node_name="n", phase="Running")
    plan = planned((there, mounting("b", "b"), mounting("c", "c")), objects, (node("n"),), mode=mode)
    assert [len(each.pods) for each in plan.existing] == [1]
    assert len(plan.nodes) == 1


@every_mode
def test_no_machine_is_bought_for_more_volumes_than_it_takes(mode: str) -> None:
    objects = [*(claim(f"c{number}") for number in range(40)), late()]
    pods = tuple(mounting(f"p{number}", f"c{number}") for number in range(40))
    plan = planned(pods, objects, mode=mode)
    assert sum(len(each.pods) for each in plan.nodes) == 40
    assert all(len(each.pods) <= 32 for each in plan.nodes)


@every_mode
def test_machines_that_take_more_volumes_are_bought_where_that_is_needed(mode: str) -> None:
    names = [f"c{number}" for number in range(20)]
    plan = planned((mounting("p", *names),), [*map(claim, names), late(GOOGLE)], mode=mode, market=GKE)
    assert next(each.size.offering.shape for each in plan.nodes) not in {"e2-small", "e2-medium"}


@every_mode
def test_a_pod_with_more_volumes_than_any_machine_takes_is_told_so(mode: str) -> None:
    names = [f"c{number}" for number in range(33)]
    plan = planned((mounting("p", *names),), [*map(claim, names), late()], mode=mode)
    assert codes(plan) == {"p": ["volume"]}


def test_a_catalog_of_nobodys_cloud_knows_the_limits_too() -> None:
    plan = planned((mounting("p", "a"),), [claim("a"), late()], market=catalog(offering()))
    assert len(plan.nodes) == 1


def test_a_plan_on_files_counts_the_volumes_of_both(tmp_path: Path) -> None:
    def raw(name: str) -> dict[str, Any]:
        volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": name}}]
        return {"kind": "Pod", "metadata": {"name": name}, "spec": {"volumes": volumes}}

    pods, nodes = tmp_path / "pods.json", tmp_path / "nodes.json"
    pods.write_text(
        json.dumps({"kind": "List", "items": [raw("a"), raw("b"), claim("a"), claim("b"), late()]})
    )
    room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    there = {"kind": "Node", "metadata": {"name": "n"}, "status": {"allocatable": room}}
    nodes.write_text(json.dumps({"kind": "List", "items": [there, csi_node("n", count=1)]}))
    question = read(Options(pods=pods, nodes=nodes), NOW)
    plan = decide(question.snapshot, question.catalog, question.policy, NOW, rounds(8))
    assert [len(each.pods) for each in plan.existing] == [1]
    assert len(plan.nodes) == 1
