"""What the provisioner reads of disruption budgets at the API server, and how it asks to evict."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from catalog.volumes import ORACLE, attachments
from provisioner.core import parse
from provisioner.core.model import ZONE, Budget, NodeTerm, Owner, Requirement
from provisioner.kube import Kube, KubeDenied, KubeGone, KubeUnavailable
from tests.support.provision import NOW, pod

BUDGET = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
    "status": {"disruptionsAllowed": 1},
}


def listing(*items: Any) -> Any:
    return lambda **_: SimpleNamespace(data=json.dumps({"items": items, "metadata": {}}))


def core(evict: Any = None) -> Any:
    return SimpleNamespace(
        list_pod_for_all_namespaces=listing(),
        list_node=listing(),
        create_namespaced_pod_eviction=evict,
    )


def policies(*budgets: Any) -> Any:
    return SimpleNamespace(list_pod_disruption_budget_for_all_namespaces=listing(*budgets))


def test_disruption_budgets_are_read() -> None:
    (found,) = Kube(core(), policies(BUDGET)).observe().budgets
    assert (found.name, found.allowed) == ("web", 1)
    assert found.covers(pod(labels={"app": "web"}))
    assert not found.covers(pod(labels={"app": "other"}))
    assert not found.covers(pod(labels={"app": "web"}, namespace="elsewhere"))


def test_where_no_pod_is_moved_they_are_not_asked_for() -> None:
    assert Kube(core()).observe().budgets == ()


def test_a_budget_without_a_status_allows_nothing() -> None:
    assert parse.budget({key: BUDGET[key] for key in ("metadata", "spec")}).allowed == 0


def test_a_pod_that_steps_aside_leaves_its_replica_set_and_says_since_when() -> None:
    asked: list[Any] = []
    server = core()
    server.patch_namespaced_pod = lambda name, namespace, body, **_: asked.append((name, namespace, body))
    Kube(server).detach(pod("web-1", uid="u1", owner=Owner("ReplicaSet", "web", "of-web")), NOW)
    ((name, namespace, body),) = asked
    assert (name, namespace, body["metadata"]["uid"]) == ("web-1", "default", "u1")
    assert body["metadata"]["labels"] == {"pod-template-hash": None}
    assert body["metadata"]["annotations"] == {
        "rightsize.io/steps-aside-since": NOW.isoformat(),
        "rightsize.io/steps-aside-from": "of-web",
    }


@pytest.mark.parametrize(("selector", "covers"), [(None, False), ((), True)])
def test_an_empty_selector_is_every_pod_and_none_is_no_pod(
    selector: tuple[()] | None, *, covers: bool
) -> None:
    assert Budget("default", "web", selector, 0).covers(pod()) == covers


def test_the_pod_that_was_seen_is_evicted_and_no_other_of_its_name() -> None:
    asked: list[Any] = []
    Kube(core(lambda name, namespace, body, **_: asked.append((name, namespace, body)))).evict(pod("web-1"))
    ((name, namespace, body),) = asked
    assert (name, namespace, body["kind"]) == ("web-1", "default", "Eviction")
    assert body["deleteOptions"] == {"preconditions": {"uid": "uid-web-1"}}


def test_autoscalers_are_read_only_where_growth_is_looked_at() -> None:
    scaler = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 4},
    }
    api = SimpleNamespace(list_horizontal_pod_autoscaler_for_all_namespaces=listing(scaler))
    assert [each.name for each in Kube(core(), autoscaling=api).observe().scalers] == ["web"]
    assert Kube(core()).observe().scalers == ()


@pytest.mark.parametrize(("status", "error"), [(429, KubeUnavailable), (404, KubeGone), (403, KubeDenied)])
def test_a_refused_eviction_is_told_apart(status: int, error: type[Exception]) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ApiException(status=status, reason="refused")

    with pytest.raises(error, match="refused"):
        Kube(core(refuse)).evict(pod())


CLAIM = {"metadata": {"name": "data", "namespace": "default"}, "spec": {"volumeName": "v"}}
VOLUME = {"metadata": {"name": "v"}, "spec": {}}
LATE = {
    "metadata": {"name": "late"},
    "provisioner": ORACLE,
    "volumeBindingMode": "WaitForFirstConsumer",
    "allowedTopologies": [{"matchLabelExpressions": [{"key": ZONE, "values": ["z2"]}]}],
}
TAKES_TWO = {"metadata": {"name": "n"}, "spec": {"drivers": [{"name": ORACLE, "allocatable": {"count": 2}}]}}


def with_volumes(server: Any, pods: Any, claims: Any) -> Kube:
    server.list_pod_for_all_namespaces = pods
    server.list_persistent_volume_claim_for_all_namespaces = claims
    server.list_persistent_volume = listing(VOLUME)
    return Kube(
        server, storage=SimpleNamespace(list_storage_class=listing(LATE), list_csi_node=listing(TAKES_TWO))
    )


def mounting(name: str = "p", **spec: Any) -> dict[str, Any]:
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    return {"metadata": {"name": name}, "spec": {"volumes": volumes, **spec}}


def test_volumes_are_looked_at_where_a_pending_pod_mounts_one() -> None:
    found = with_volumes(core(), listing(mounting()), listing(CLAIM)).observe()
    assert found.storage is not None
    assert found.storage.placed(found.pods[0]).claims == ()


def test_a_claim_that_waits_is_had_where_its_class_allows() -> None:
    waiting = {**CLAIM, "spec": {"storageClassName": "late"}}
    found = with_volumes(core(), listing(mounting()), listing(waiting)).observe()
    assert found.storage is not None
    assert found.storage.placed(found.pods[0]).node_affinity == (
        NodeTerm((Requirement(ZONE, "In", ("z2",)),)),
    )


def test_pods_ask_for_their_volumes_and_nodes_have_what_their_drivers_say() -> None:
    server = core()
    server.list_node = listing({"metadata": {"name": "n"}})
    waiting = {**CLAIM, "spec": {"storageClassName": "late"}}
    found = with_volumes(server, listing(mounting()), listing(waiting)).observe()
    name = attachments(ORACLE)
    assert [each.requests.extended[name] for each in found.pods] == [1]
    assert [each.allocatable.extended[name] for each in found.nodes] == [2]


DAEMON_SET = {"metadata": {"name": "d", "uid": "u"}, "spec": {"template": {"spec": {"containers": []}}}}


def test_daemon_sets_are_read() -> None:
    api = SimpleNamespace(list_daemon_set_for_all_namespaces=listing(DAEMON_SET))
    (found,) = Kube(core(), apps=api).observe().daemon_sets or ()
    assert (found.pod.key, found.uid) == ("default/d", "u")


def test_where_they_may_not_be_seen_nothing_is_known_of_them() -> None:
    def denied(**_: Any) -> Any:
        raise ApiException(status=403, reason="Forbidden")

    found = Kube(core(), apps=SimpleNamespace(list_daemon_set_for_all_namespaces=denied)).observe()
    assert found.daemon_sets is None
    (fault,) = found.unreadable
    assert fault.startswith("daemonsets: ")


def test_they_are_not_asked_for_otherwise() -> None:
    server = core()
    server.list_pod_for_all_namespaces = listing(mounting(nodeName="n"))
    assert Kube(server).observe().storage is None


def test_where_they_may_not_be_seen_the_rest_is_seen_all_the_same() -> None:
    def refused(**_: Any) -> Any:
        raise ApiException(status=403, reason="forbidden")

    found = with_volumes(core(), listing(mounting()), refused).observe()
    assert (found.storage, len(found.pods)) == (None, 1)
    assert found.unreadable == ("volumes: 403: forbidden",)
