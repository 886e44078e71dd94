"""What kubelets report, and what is written of those that report nothing; against a fake API server."""

from typing import Any

import pytest

from emulator.kube.api import ApiError, Object
from emulator.kube.kubelets import Kubelets

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a"
NODE = "/api/v1/nodes/a"


def pod(name: str, *, ready: bool = True, phase: str = "Running") -> Object:
    return {
        "metadata": {"namespace": "ns", "name": name, "uid": f"uid-{name}"},
        "spec": {"nodeName": "a", "containers": [{"name": "main", "image": "any"}]},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


class FakeApi:
    """A node `a` with its lease and its pods; conditions are merged by type."""

    def __init__(self, *pods: Object) -> None:
        self.lease = {"holderIdentity": "kwok", "leaseDurationSeconds": 200, "renewTime": "then"}
        self.pods = {each["metadata"]["name"]: each for each in pods}
        self.conditions: dict[str, str] = {"Ready": "True"}
        self.reminded: list[str] = []

    def get(self, path: str, **_: str) -> Object:
        if path == LEASE:
            return {"spec": dict(self.lease)}
        if path == NODE:
            told = [{"type": kind, "status": status} for kind, status in self.conditions.items()]
            return {"status": {"conditions": told}}
        return {"items": list(self.pods.values())}

    def patch(self, path: str, body: Object, _kind: str = "") -> None:
        if path == LEASE:
            self.lease |= body["spec"]
            return
        if "metadata" in body:
            self.reminded.append(path.rpartition("/")[2])
            return
        told = {each["type"]: each["status"] for each in body["status"]["conditions"]}
        if path == f"{NODE}/status":
            self.conditions |= told
            return
        name = path.split("/")[-2]
        if name not in self.pods:
            raise ApiError(404, path)
        self.pods[name]["status"]["conditions"] = [{"type": "Ready", "status": told["Ready"]}]

    def ready(self) -> dict[str, str]:
        return {name: each["status"]["conditions"][0]["status"] for name, each in self.pods.items()}


@pytest.fixture
def api() -> FakeApi:
    return FakeApi(pod("serving"), pod("starting", ready=False))


def kubelets_of(api: Any) -> Kubelets:
    return Kubelets(api)


def test_a_silent_kubelets_node_is_unknown_and_its_pods_are_not_ready(api: FakeApi) -> None:
    kubelets = kubelets_of(api)
    kubelets.silence("a")
    assert api.lease["holderIdentity"] != "kwok"
    assert api.conditions == {"Ready": "True"}
    kubelets.give_up("a")
    assert set(api.conditions.values()) == {"Unknown"}
    assert api.ready() == {"serving": "False", "starting": "False"}


def test_a_kubelet_that_is_heard_again_reports_what_was_ready(api: FakeApi) -> None:
    kubelets = kubelets_of(api)
    kubelets.silence("a")
    kubelets.give_up("a")
    kubelets.hear("a")
    assert (api.lease["holderIdentity"], api.lease["leaseDurationSeconds"]) == ("kwok", 200)
    assert api.conditions["Ready"] == "True"
    assert api.ready() == {"serving": "True", "starting": "False"}


def test_the_lease_is_kept_as_long_as_the_kubelet_is_silent(api: FakeApi) -> None:
    kubelets = kubelets_of(api)
    kubelets.silence("a")
    api.lease["renewTime"] = "long ago"
    assert kubelets.keep_silent("a")
    assert api.lease["renewTime"] != "long ago"
    kubelets.hear("a")
    assert not kubelets.keep_silent("a")
    assert api.lease["holderIdentity"] == "kwok"


def test_a_short_silence_is_not_noticed(api: FakeApi) -> None:
    kubelets = kubelets_of(api)
    kubelets.silence("a")
    kubelets.hear("a")
    kubelets.give_up("a")
    assert api.conditions == {"Ready": "True"}
    assert api.ready() == {"serving": "True", "starting": "False"}


def test_who_is_silent_already_keeps_the_lease_that_was_taken_first(api: FakeApi) -> None:
    kubelets = kubelets_of(api)
    kubelets.silence("a")
    kubelets.silence("a")
    kubelets.hear("a")
    assert api.lease["holderIdentity"] == "kwok"


def test_pods_that_were_deleted_meanwhile_are_ended_then(api: FakeApi) -> None:
    kubelets = kubelets_of(api)
    kubelets.silence("a")
    kubelets.give_up("a")
    api.pods["serving"]["metadata"]["deletionTimestamp"] = "now"
    kubelets.hear("a")
    assert api.ready()["serving"] == "False"
    assert api.reminded == ["serving"]


def test_of_a_node_that_is_gone_nothing_is_remembered(api: FakeApi) -> None:
    kubelets = kubelets_of(api)
    kubelets.silence("a")
    kubelets.forget("a")
    kubelets.hear("a")
    kubelets.give_up("a")
    assert api.lease["holderIdentity"] != "kwok"
    assert api.conditions == {"Ready": "True"}
