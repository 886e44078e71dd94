"""What the API server would not let in is refused here as well, each fault with its object, place and expectation."""

from typing import Any

import pytest

from provisioner.core import parse
from provisioner.core.parse import Malformed
from provisioner.core.storage import Storage
from tests.support.kube_json import daemon_set_json, node_json, pod_json

TEXT = "expected text"
BARE = "expected text, so put it in quotation marks"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def said(read: Any, raw: Any) -> str:
    with pytest.raises(Malformed) as error:
        read(raw)
    return str(error.value)


def spec(**changes: Any) -> dict[str, Any]:
    pod = pod_json("p")
    return {**pod, "spec": {**pod["spec"], **changes}}


def requesting(name: str, amount: Any) -> dict[str, Any]:
    return spec(containers=[{"resources": {"requests": {name: amount}}}])


@pytest.mark.parametrize(
    ("name", "amount", "fault"),
    [
        ("cpu", "-1", "'-1'; expected 0 or more"),
        ("cpu", -0.5, "-0.5; expected 0 or more"),
        ("memory", "-1Gi", "'-1Gi'; expected 0 or more"),
        ("nvidia.com/gpu", -1, "-1; expected 0 or more"),
        ("example.com/fpga", "-1", "'-1'; expected 0 or more"),
        ("cpu", "10P", "'10P'; expected at most 9223372036854775"),
        ("memory", "10E", "'10E'; expected at most 9223372036854775807"),
        ("memory", "1e400", "'1e400'; expected at most 9223372036854775807"),
        ("memory", 10**40, f"{10**40}; expected at most 9223372036854775807"),
        ("memory", 10**4000, "a number of more than 60 digits; expected a number like 400m"),
        ("memory", "9" * 5000, f"'{'9' * 60}'… (5000 letters); expected a number like 400m"),
        ("cpu", float("nan"), "nan; expected a number like 400m"),
        ("cpu", float("inf"), "inf; expected a number like 400m"),
        ("cpu", True, "true; expected a number like 400m"),
        ("cpu", None, "null; expected a number like 400m"),
        ("cpu", ["1"], "a list; expected a number like 400m"),
        ("cpu", "many", "'many'; expected a number like 400m, 2, 1.5Gi or 4G, in at most 100 letters"),
    ],
)
def test_an_amount_that_nothing_can_have_is_refused(name: str, amount: Any, fault: str) -> None:
    place = f"spec.containers[0].resources.requests.{name}"
    assert said(parse.pod, requesting(name, amount)).startswith(f"pod default/p: {place}: {fault}")


@pytest.mark.parametrize("amount", ["0", 0, "-0", "1n", 0.1, "9223372036854775807", "7Ei", "1e3"])
def test_an_amount_that_something_can_have_is_read(amount: Any) -> None:
    assert parse.pod(requesting("memory", amount)).requests.memory_bytes >= 0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"nodeSelector": {"a": "b", "n": 1}}, f"nodeSelector.n: 1; {BARE}"),
        ({"nodeSelector": {1: "b"}}, "nodeSelector.1: 1; expected text for a key, in quotation marks"),
        ({"nodeSelector": ["a"]}, "nodeSelector: a list; expected a mapping"),
        ({"nodeName": ["n"]}, f"nodeName: a list; {TEXT}"),
        ({"containers": "abc"}, "containers: 'abc'; expected a list"),
        ({"containers": {}}, "containers: a mapping; expected a list"),
        ({"containers": [None]}, "containers[0]: null; expected a mapping"),
        ({"containers": [{"resources": []}]}, "containers[0].resources: a list; expected a mapping"),
        ({"containers": [{"ports": [{"hostPort": float("inf")}]}]}, "containers[0].ports[0].hostPort: inf; "),
        ({"containers": [{"ports": [{"hostPort": 65536}]}]}, "containers[0].ports[0].hostPort: 65536; "),
        ({"initContainers": [{"restartPolicy": 1}]}, f"initContainers[0].restartPolicy: 1; {BARE}"),
        ({"tolerations": [{"operator": ["Exists"]}]}, f"tolerations[0].operator: a list; {TEXT}"),
        ({"tolerations": [{"effect": True}]}, f"tolerations[0].effect: true; {BARE}"),
        ({"priority": "high"}, "priority: 'high'; expected a whole number from -2147483648 to 2147483647"),
        ({"hostNetwork": "false"}, "hostNetwork: 'false'; expected true or false"),
        ({"overhead": {"cpu": "-1"}}, "overhead.cpu: '-1'; expected 0 or more"),
        ({"volumes": [{"name": "v", "persistentVolumeClaim": {}}]}, "volumes[0].persistentVolumeClaim.claim"),
        ({"schedulingGates": [{}]}, "schedulingGates[0].name is missing"),
        ({"nodeSelector": {"a": "\ud800"}}, "nodeSelector.a: '\\ud800'; expected text in Unicode"),
        (
            {"topologySpreadConstraints": [{"topologyKey": "z", "maxSkew": float("inf")}]},
            "topologySpreadConstraints[0].maxSkew: inf; expected a whole number from 1 to 2147483647",
        ),
        (
            {"topologySpreadConstraints": [{"topologyKey": ["z"]}]},
            f"topologySpreadConstraints[0].topologyKey: a list; {TEXT}",
        ),
        (
            {"affinity": {"podAntiAffinity": {REQUIRED: [{"labelSelector": {}}]}}},
            f"affinity.podAntiAffinity.{REQUIRED}[0].topologyKey is missing",
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        REQUIRED: {
                            "nodeSelectorTerms": [
                                {"matchExpressions": [{"key": "a", "operator": "In", "values": "b"}]}
                            ]
                        }
                    }
                }
            },
            f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].values: 'b'; expected a",
        ),
    ],
)
def test_a_pod_of_another_form_is_refused(changes: dict[str, Any], fault: str) -> None:
    assert said(parse.pod, spec(**changes)).startswith(f"pod default/p: spec.{fault}")


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ("abc", "pod without a name: 'abc'; expected a mapping"),
        ({"metadata": []}, "pod without a name: metadata: a list; expected a mapping"),
        ({"metadata": {"name": "a\nb"}, "spec": 1}, "pod 'a\\nb': spec: 1; expected a mapping"),
        ({"metadata": {"name": ""}}, "pod without a name: metadata.name: ''; expected a name"),
        ({"metadata": {"name": 5}}, f"pod 5: metadata.name: 5; {BARE}"),
        ({**pod_json("p"), "spec": []}, "pod default/p: spec: a list; expected a mapping"),
        ({**pod_json("p"), "status": {"phase": []}}, f"pod default/p: status.phase: a list; {TEXT}"),
        (pod_json("p", labels=["a"]), "pod default/p: metadata.labels: a list; expected a mapping"),
        (pod_json("p", uid=["a"]), f"pod default/p: metadata.uid: a list; {TEXT}"),
        (
            pod_json("p", annotations={"node.elotl.co/instance-max-cost": 5}),
            f"pod default/p: metadata.annotations.node.elotl.co/instance-max-cost: 5; {BARE}",
        ),
    ],
)
def test_whatever_else_of_a_pod_is_of_another_form_is_refused(raw: Any, fault: str) -> None:
    assert said(parse.pod, raw) == fault


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"metadata": {"name": 5}}, f"node 5: metadata.name: 5; {BARE}"),
        ({"spec": {"taints": [{"key": ["k"]}]}}, f"node n: spec.taints[0].key: a list; {TEXT}"),
        (
            {"spec": {"taints": [{"key": "k", "effect": {}}]}},
            f"node n: spec.taints[0].effect: a mapping; {TEXT}",
        ),
        ({"spec": {"providerID": ["x"]}}, f"node n: spec.providerID: a list; {TEXT}"),
        (
            {"status": {"allocatable": {"cpu": "-1"}}},
            "node n: status.allocatable.cpu: '-1'; expected 0 or more",
        ),
        ({"status": {"capacity": "all"}}, "node n: status.capacity: 'all'; expected a mapping"),
    ],
)
def test_a_node_of_another_form_is_refused(changes: dict[str, Any], fault: str) -> None:
    assert said(parse.node, {**node_json("n"), **changes}) == fault


@pytest.mark.parametrize(
    ("kind", "changes", "fault"),
    [
        ("PersistentVolumeClaim", {"spec": {"volumeName": ["v"]}}, f"spec.volumeName: a list; {TEXT}"),
        ("PersistentVolumeClaim", {"metadata": []}, "metadata: a list; expected a mapping"),
        ("PersistentVolume", {"spec": {"csi": {"driver": ["d"]}}}, f"spec.csi.driver: a list; {TEXT}"),
        ("StorageClass", {"allowedTopologies": [1]}, "allowedTopologies[0]: 1; expected a mapping"),
        ("CSINode", {"spec": {"drivers": [{"name": ["d"]}]}}, f"spec.drivers[0].name: a list; {TEXT}"),
    ],
)
def test_volumes_of_another_form_are_refused(kind: str, changes: dict[str, Any], fault: str) -> None:
    raw = {"kind": kind, "metadata": {"name": "v"}, **changes}
    name = "without a name" if "metadata" in changes else "v"
    assert said(lambda each: Storage.of([each]), raw) == f"{kind} {name}: {fault}"


def test_every_fault_of_an_object_is_said_and_each_can_stand_alone() -> None:
    raw = spec(nodeName=1, containers=[{"resources": {"requests": {"cpu": "-1", "memory": "x"}}}])
    with pytest.raises(Malformed) as error:
        parse.pod(raw)
    assert len(error.value.faults) == 3
    assert all(fault.startswith("pod default/p: spec.") for fault in error.value.faults)
    assert str(error.value).count("pod default/p") == 1


def test_null_is_the_same_as_not_there() -> None:
    absent = pod_json("p")
    nulls = spec(nodeSelector=None, tolerations=None, priority=None, affinity=None, overhead=None)
    assert parse.pod(nulls) == parse.pod(absent)


def test_what_nobody_reads_may_be_anything() -> None:
    assert parse.pod(spec(securityContext=5, containers=[{"image": 5}])).name == "p"
    assert parse.daemon_set(daemon_set_json("d")).pod.name == "d"
