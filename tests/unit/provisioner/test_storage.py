"""Volumes: a bound one can be attached where it is, an unbound one comes to be where its pod goes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.volumes import ORACLE
from provisioner import files
from provisioner.core.decide import decide
from provisioner.core.model import ZONE, NodeTerm, Pod, Requirement
from provisioner.core.parse import Malformed
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES
from provisioner.core.snapshot import Snapshot
from provisioner.core.storage import Storage
from tests.support.packing import rounds
from tests.support.provision import ANY_ARCH, NOW, catalog, codes, flexible, node, pod

MARKET = catalog(flexible(zones=("z1", "z2")))
every_mode = pytest.mark.parametrize("mode", MODES)


def claim(name: str = "data", volume: str = "", storage_class: str = "", **status: Any) -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"volumeName": volume, "storageClassName": storage_class},
        **({"status": status} if status else {}),
    }


def volume(name: str, *zones: str, key: str = ZONE, labels: dict[str, str] | None = None) -> dict[str, Any]:
    expression = {"key": key, "operator": "In", "values": list(zones)}
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return {
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"nodeAffinity": affinity} if zones else {},
    }


def storage_class(name: str, mode: str, *zones: str, provisioner: str = ORACLE) -> dict[str, Any]:
    allowed = [{"matchLabelExpressions": [{"key": ZONE, "values": list(zones)}]}] if zones else []
    return {
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": provisioner,
        "volumeBindingMode": mode,
        "allowedTopologies": allowed,
    }


def mounting(*claims: str, **changes: Any) -> Pod:
    return pod(claims=claims or ("data",), **changes)


def planned(wanted: Pod, objects: list[dict[str, Any]], mode: str = "optimal", **snapshot: Any) -> Plan:
    policy = replace(ANY_ARCH, mode=mode, bin_packing_node_cpu=1000, bin_packing_node_memory=2**30)
    return decide(
        Snapshot((wanted,), storage=Storage.of(objects), **snapshot), MARKET, policy, NOW, rounds(8)
    )


def zones(plan: Plan) -> list[str]:
    return [each.size.zone for each in plan.nodes]


@every_mode
@pytest.mark.parametrize("key", [ZONE, "failure-domain.beta.kubernetes.io/zone", "topology.gke.io/zone"])
def test_a_bound_volume_is_gone_to(mode: str, key: str) -> None:
    assert zones(planned(mounting(), [claim(volume="v"), volume("v", "z2", key=key)], mode)) == ["z2"]


@every_mode
def test_a_volume_that_says_its_zone_by_a_label_is_gone_to(mode: str) -> None:
    assert zones(planned(mounting(), [claim(volume="v"), volume("v", labels={ZONE: "z2"})], mode)) == ["z2"]


@every_mode
def test_two_volumes_have_to_be_in_one_place(mode: str) -> None:
    objects = [claim("a", "va"), claim("b", "vb"), volume("va", "z1", "z2"), volume("vb", "z2")]
    assert zones(planned(mounting("a", "b"), objects, mode)) == ["z2"]
    apart = [*objects[:2], volume("va", "z1"), volume("vb", "z2")]
    assert codes(planned(mounting("a", "b"), apart, mode)) == {"p": ["affinity"]}


@every_mode
def test_what_the_pod_says_of_zones_goes_on_holding(mode: str) -> None:
    only = (NodeTerm((Requirement(ZONE, "In", ("z1",)),)),)
    objects = [claim(volume="v"), volume("v", "z2")]
    assert codes(planned(mounting(node_affinity=only), objects, mode)) == {"p": ["affinity"]}


@every_mode
@pytest.mark.parametrize(
    ("objects", "where"),
    [
        ([claim(phase="Pending")], ["z1"]),
        ([claim(storage_class="late"), storage_class("late", "WaitForFirstConsumer")], ["z1"]),
        ([claim(storage_class="late"), storage_class("late", "WaitForFirstConsumer", "z2")], ["z2"]),
        ([claim(volume="v"), volume("v")], ["z1"]),
    ],
)
def test_a_volume_that_is_nowhere_yet_comes_to_the_pod(
    mode: str, objects: list[dict[str, Any]], where: list[str]
) -> None:
    assert zones(planned(mounting(), objects, mode)) == where


@every_mode
@pytest.mark.parametrize(
    "objects",
    [
        [],
        [claim("other")],
        [claim(volume="gone")],
        [claim(storage_class="now"), storage_class("now", "Immediate")],
        [claim(storage_class="gone"), storage_class("now", "Immediate")],
        [
            claim(storage_class="local"),
            storage_class("local", "WaitForFirstConsumer", provisioner="kubernetes.io/no-provisioner"),
        ],
    ],
    ids=[
        "nobody has looked",
        "no such claim",
        "no such volume",
        "not to wait for the pod",
        "no such class",
        "nobody makes one",
    ],
)
def test_where_nobody_can_tell_nothing_is_bought(mode: str, objects: list[dict[str, Any]]) -> None:
    plan = planned(mounting(), objects, mode)
    assert (codes(plan), plan.nodes) == ({"p": ["volume"]}, ())


@every_mode
def test_room_in_the_volumes_zone_is_used(mode: str) -> None:
    there = (node("n1", labels={ZONE: "z1"}), node("n2", labels={ZONE: "z2"}))
    plan = planned(mounting(), [claim(volume="v"), volume("v", "z2")], mode, nodes=there)
    assert [each.node for each in plan.existing] == ["n2"]


def test_a_file_may_hold_volumes_beside_pods(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"kind": "List", "items": [claim(volume="v"), volume("v", "z2")]}))
    assert files.pods(path) == ()
    found = files.storage(path)
    assert found is not None
    assert found.placed(mounting()).claims == ()


def test_an_object_that_cannot_be_read_is_named() -> None:
    broken = {"kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {"nodeAffinity": "z1"}}
    with pytest.raises(Malformed, match="PersistentVolume v:"):
        Storage.of([broken])
