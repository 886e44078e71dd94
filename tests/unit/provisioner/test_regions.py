"""A cluster is in one region: which of a catalog's it is planned with."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from provisioner.__main__ import app
from provisioner.core.model import ARCH, REGION, ZONE, NodeTerm, Pod, Requirement
from provisioner.core.regions import kept_to_regions
from tests.support.kube_json import pod_json
from tests.support.provision import GKE, OKE, catalog, node, offering, pod

EVERY = {"us-central1", "europe-west4", "asia-southeast1"}
HOME = "us-central1"


def requiring(*requirements: Requirement) -> Pod:
    return pod(node_affinity=(NodeTerm(requirements),))


@pytest.mark.parametrize(
    ("labels", "wanted", "regions"),
    [
        ({}, pod(), {HOME}),
        ({}, pod(node_selector={ZONE: "europe-west4-b"}), {"europe-west4"}),
        ({}, pod(node_selector={REGION: "asia-southeast1"}), {"asia-southeast1"}),
        (
            {},
            pod(node_selector={"failure-domain.beta.kubernetes.io/zone": "europe-west4-a"}),
            {"europe-west4"},
        ),
        ({}, requiring(Requirement(ZONE, "In", ("europe-west4-a", "europe-west4-c"))), {"europe-west4"}),
        ({}, requiring(Requirement(REGION, "NotIn", (HOME,))), EVERY - {HOME}),
        ({}, requiring(Requirement(ZONE, "NotIn", ("us-central1-a",))), {HOME}),
        ({}, requiring(Requirement(ZONE, "Exists")), {HOME}),
        ({}, requiring(Requirement(ARCH, "In", ("arm64",))), {HOME}),
        ({}, pod(node_selector={ZONE: "elsewhere"}), {HOME}),
        ({}, pod(node_affinity=()), {HOME}),
        ({REGION: "europe-west4"}, pod(), {"europe-west4"}),
        ({ZONE: "europe-west4-a"}, pod(), {"europe-west4"}),
        ({REGION: "europe-west4", ZONE: "us-central1-a"}, pod(), {"europe-west4"}),
        ({REGION: "us-east1", ZONE: "us-east1-b"}, pod(), {HOME}),
        ({ZONE: "europe-west4-a"}, pod(node_selector={REGION: HOME}), {"europe-west4", HOME}),
    ],
)
def test_regions_are_those_that_nodes_and_pods_name(labels: Any, wanted: Pod, regions: set[str]) -> None:
    kept = kept_to_regions(GKE, [node(labels=labels)], [wanted], HOME)
    assert {each.region for each in kept.offerings} == regions
    assert kept.offerings == tuple(each for each in GKE.offerings if each.region in regions)


def test_oracles_catalog_has_one_region_whatever_nodes_say() -> None:
    for name in ("iad", "us-ashburn-1", "fra"):
        assert kept_to_regions(OKE, [node(labels={REGION: name})], [pod()], "us-ashburn-1") == OKE


def test_what_has_no_region_is_sold_in_all() -> None:
    here, there, anywhere = (offering(name, zones=(name,), region=name) for name in ("a", "b", ""))
    market = catalog(here, there, anywhere)
    assert kept_to_regions(market, [], [pod()]) == market
    assert kept_to_regions(market, [node(labels={ZONE: "b"})], [pod()]).offerings == (there, anywhere)


def zones(tmp_path: Path, *items: dict[str, Any], nodes: Any = ()) -> set[str]:
    paths = {"--pods": items, **({"--nodes": nodes} if nodes else {})}
    words = ["plan", "--cloud", "gke", "--json"]
    for option, listed in paths.items():
        path = tmp_path / f"{option[2:]}.yaml"
        path.write_text(yaml.safe_dump({"kind": "List", "items": list(listed)}))
        words += [option, str(path)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert not document["unplaced"]
    return {each["zone"] for each in document["nodes"]}


def spread(at: int, **selector: str) -> dict[str, Any]:
    made = pod_json(f"p{at}", labels={"app": "a"})
    made["spec"]["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": ZONE,
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "a"}},
        }
    ]
    return {**made, "spec": {**made["spec"], "nodeSelector": selector}}


def test_a_spread_over_zones_stays_in_the_home_region(tmp_path: Path) -> None:
    assert zones(tmp_path, *map(spread, range(6))) == {f"us-central1-{zone}" for zone in "abcf"}


def test_a_volume_says_where_the_cluster_is(tmp_path: Path) -> None:
    mounting = pod_json("p")
    mounting["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {"volumeName": "pv"},
    }
    labels = {ZONE: "europe-west4-b"}
    volume = {"kind": "PersistentVolume", "metadata": {"name": "pv", "labels": labels}, "spec": {}}
    assert zones(tmp_path, mounting, pod_json("q"), claim, volume) == {"europe-west4-b"}


def test_who_selects_another_region_is_placed_there(tmp_path: Path) -> None:
    far = [spread(at, **{REGION: "europe-west4"}) for at in range(3)]
    assert zones(tmp_path, *far) == {f"europe-west4-{zone}" for zone in "abc"}
