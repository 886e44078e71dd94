"""Random pods on a real scheduler: what is planned is what happens, and nothing is bought in vain.

Waves of pods that share, avoid, spread and select come to a cluster. After one round, that is one decision
and what it bought, no pod is pending, no bought node is empty, and every pod is where the plan meant it.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from catalog.names import ROLE_INFERENCE, ROLE_KEY
from emulator.kube.cluster import KubeCluster
from provisioner.core.model import Taint
from provisioner.core.plan import Plan
from provisioner.core.policy import BIN_PACK, BIN_SELECT, OPTIMAL, Policy
from provisioner.kube import Kube
from provisioner.loop import Controller
from tests.support.fake_cluster import Lines
from tests.support.kube import Kubectl, kubectl_on, node, running
from tests.support.machines import Machines
from tests.support.provision import OKE
from tests.support.until import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WAVES = 3
CPUS = ("50m", "100m", "250m", "400m", "700m", "900m", "1500m", "2300m", "3700m")
MEMORIES = ("64Mi", "128Mi", "300Mi", "700Mi", "1Gi", "1700Mi", "3Gi", "6Gi")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeCluster]:
    # The cluster's own pods go here, and nobody else's.
    management = node("management", cpu_millicores=3830)
    with running("random", tmp_path_factory.mktemp("random") / "cluster", management) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def kubectl(cluster: KubeCluster) -> Kubectl:
    return kubectl_on(cluster)


class Life:
    """A provisioner, its machines and its cluster, wave after wave."""

    def __init__(self, cluster: KubeCluster, kubectl: Kubectl, mode: str) -> None:
        self._cluster, self._kubectl = cluster, kubectl
        self.machines = Machines(cluster, OKE)
        policy = Policy(
            mode=mode,
            architectures=("arm64", "amd64"),
            pod_selector={"random": "yes"},
            node_labels={ROLE_KEY: ROLE_INFERENCE},
            node_taints=(Taint(ROLE_KEY, ROLE_INFERENCE, "NoSchedule"),),
            max_pools=1000,
            batch_idle_s=0,
            batch_longest_s=0,
        )
        kube = Kube.reading(str(cluster.kubeconfig_path), None)
        self._controller = Controller(self.machines.driver, kube, OKE, policy, Lines())

    def step(self) -> Plan:
        return self._controller.step(datetime.now(UTC), time.monotonic)

    def round(self, pods: list[dict[str, Any]]) -> Plan:
        """Pods come and find no room, the provisioner decides, and what it buys is listed, named and there at last."""
        self._kubectl.apply(*pods)
        until("all pods tried", self.all_tried, 40)
        plan = self.step()
        new = self.machines.boot()
        again = self.step()
        assert again.nodes == (), "bought again for the same pods"
        self.machines.register(new)
        return plan

    def pods(self) -> list[dict[str, Any]]:
        return self._kubectl.items("pods", selector="random=yes")

    def pending(self) -> list[str]:
        return [each["metadata"]["name"] for each in self.pods() if not each["spec"].get("nodeName")]

    def all_tried(self) -> bool:
        """Whether the scheduler has put each pod somewhere, or found no place for it."""
        return all(each["spec"].get("nodeName") or each["status"].get("conditions") for each in self.pods())

    def shared(self) -> dict[str, frozenset[str]]:
        """Pods by the node that they are on."""
        found: dict[str, set[str]] = {}
        for each in self.pods():
            found.setdefault(each["spec"].get("nodeName", ""), set()).add(each["metadata"]["name"])
        return {name: frozenset(names) for name, names in found.items()}

    def end(self) -> None:
        self._kubectl("delete", "pods", "-l", "random=yes", "--grace-period=0", "--force", "--wait=true")
        for name in self.machines.specs:
            self._cluster.remove_node(name)


@pytest.fixture(
    params=[(OPTIMAL, 1), (OPTIMAL, 2), (OPTIMAL, 3), (OPTIMAL, 4), (BIN_SELECT, 5), (BIN_PACK, 6)]
)
def mode_and_seed(request: pytest.FixtureRequest) -> tuple[str, int]:
    chosen: tuple[str, int] = request.param
    return chosen


def test_after_one_round_everybody_has_the_place_that_was_planned(
    cluster: KubeCluster, kubectl: Kubectl, mode_and_seed: tuple[str, int]
) -> None:
    mode, seed = mode_and_seed
    life, random = Life(cluster, kubectl, mode), Random(seed)
    try:
        for wave in range(WAVES):
            plan = life.round(wave_of(random, f"w{wave}"))
            assert {each.pod.name: each.reasons for each in plan.unplaced} == {}
            settled(life)
            after = life.shared()
            assert set(life.machines.specs) <= set(after), "a bought node is empty"
            assert_as_planned(plan, after, life)
            assert life.step().nodes == ()
    finally:
        life.end()


def test_the_first_node_of_a_kind_has_room_for_the_daemons_of_the_cluster(
    cluster: KubeCluster, kubectl: Kubectl
) -> None:
    life, random = Life(cluster, kubectl, OPTIMAL), Random(7)
    everywhere = _daemon_set("exporter", "170m", "400Mi", {"key": ROLE_KEY, "operator": "Exists"})
    on_arm = _daemon_set("shipper", "330m", "700Mi", {"operator": "Exists"}, {"kubernetes.io/arch": "arm64"})
    kubectl.apply(everywhere, on_arm)
    try:
        for wave in range(WAVES):
            plan = life.round(wave_of(random, f"d{wave}"))
            assert {each.pod.name: each.reasons for each in plan.unplaced} == {}
            settled(life)
            until("every node's daemons", lambda: all_have_daemons(life, kubectl), 40)
            after = life.step()
            assert (after.nodes, after.shortfalls) == ((), {})
    finally:
        kubectl("delete", "daemonsets", "exporter", "shipper")
        life.end()


def all_have_daemons(life: Life, kubectl: Kubectl) -> bool:
    """Whether each bought node has the pods that it is to have; nodes are opened on the way."""
    assert life.step().nodes == (), "bought for daemons"
    found = Counter(each["spec"].get("nodeName", "") for each in kubectl.items("pods", selector="daemon=yes"))
    sold = {name: OKE.find(spec.shape, spec.capacity_type) for name, spec in life.machines.specs.items()}
    return found == {name: 1 + (each is not None and each.arch == "arm64") for name, each in sold.items()}


def settled(life: Life) -> None:
    """Until nobody is pending; the controller goes on as it does, and has nothing more to buy."""

    def is_settled() -> bool:
        assert life.step().nodes == (), "bought once more"
        return not life.pending()

    until("no pod pending", is_settled, 40)


def assert_as_planned(plan: Plan, after: dict[str, frozenset[str]], life: Life) -> None:
    """The pods of each planned node share a node of that kind, and no others came to it."""
    pods = {pod.name for each in plan.nodes for pod in each.pods}
    shared = {name: names & pods for name, names in after.items()}
    happened = Counter((life.machines.specs[name], names) for name, names in shared.items() if names)
    wanted = Counter((each.spec, frozenset(pod.name for pod in each.pods)) for each in plan.nodes)
    assert happened == wanted


def wave_of(random: Random, name: str) -> list[dict[str, Any]]:
    """Pods of a few kinds."""
    return [
        pod_of(f"{name}-{kind}-{number}", f"{name}-{kind}", spec)
        for kind in range(random.randint(2, 6))
        for spec in [spec_of(random, f"{name}-{kind}")]
        for number in range(random.randint(1, 8))
    ]


def pod_of(name: str, app: str, spec: dict[str, Any]) -> dict[str, Any]:
    labels = {"random": "yes", "app": app}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": json.loads(json.dumps(spec)),
    }


def spec_of(random: Random, app: str) -> dict[str, Any]:
    """What all pods of a kind ask for."""
    asked = {"cpu": random.choice(CPUS), "memory": random.choice(MEMORIES)}
    spec: dict[str, Any] = {
        "containers": [{"name": "main", "image": "any", "resources": {"requests": asked}}]
    }
    spec |= random.choice(RULES)(random, app, spec)
    spec["nodeSelector"] = {ROLE_KEY: ROLE_INFERENCE, **spec.get("nodeSelector", {})}
    return {**spec, "tolerations": [{"key": ROLE_KEY, "operator": "Exists"}]}


def _daemon_set(
    name: str, cpu: str, memory: str, toleration: dict[str, str], selector: dict[str, str] | None = None
) -> dict[str, Any]:
    """On every bought node that it selects."""
    labels = {"app": name, "daemon": "yes"}
    asked = {"cpu": cpu, "memory": memory}
    spec = {
        "nodeSelector": {ROLE_KEY: ROLE_INFERENCE, **(selector or {})},
        "tolerations": [toleration],
        "containers": [{"name": "main", "image": "any", "resources": {"requests": asked}}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def _plain(_random: Random, _app: str, _spec: dict[str, Any]) -> dict[str, Any]:
    return {}


def _arch(random: Random, _app: str, _spec: dict[str, Any]) -> dict[str, Any]:
    return {"nodeSelector": {"kubernetes.io/arch": random.choice(["amd64", "arm64"])}}


def _zone(random: Random, _app: str, _spec: dict[str, Any]) -> dict[str, Any]:
    zones = random.sample([f"US-ASHBURN-AD-{number}" for number in (1, 2, 3)], 2)
    matching = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": zones}
    required = {"nodeSelectorTerms": [{"matchExpressions": [matching]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


def _label(random: Random, _app: str, _spec: dict[str, Any]) -> dict[str, Any]:
    return {"nodeSelector": {"rightsize.io/team": random.choice(["red", "blue"])}}


def _spread(random: Random, app: str, _spec: dict[str, Any]) -> dict[str, Any]:
    key = random.choice(["topology.kubernetes.io/zone", "kubernetes.io/hostname"])
    rule = {
        "topologyKey": key,
        "maxSkew": random.randint(1, 2),
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": app}},
    }
    return {"topologySpreadConstraints": [rule]}


def _apart(_random: Random, app: str, _spec: dict[str, Any]) -> dict[str, Any]:
    return {"affinity": {"podAntiAffinity": _beside(app)}}


def _together(_random: Random, app: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Small enough for one node, and on one of their own: a scheduler that finds room for some of them elsewhere
    puts those there, and the others have no place any more, whatever is bought."""
    spec["containers"][0]["resources"]["requests"] = {"cpu": "100m", "memory": "128Mi"}
    return {"affinity": {"podAffinity": _beside(app)}, "nodeSelector": {"rightsize.io/team": app}}


def _beside(app: str) -> dict[str, Any]:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": app}}}
    return {"requiredDuringSchedulingIgnoredDuringExecution": [term]}


def _port(random: Random, _app: str, spec: dict[str, Any]) -> dict[str, Any]:
    port = random.choice([8080, 9090])
    return {"containers": [{**spec["containers"][0], "ports": [{"containerPort": port, "hostPort": port}]}]}


def _init(random: Random, _app: str, _spec: dict[str, Any]) -> dict[str, Any]:
    asked = {"cpu": random.choice(CPUS), "memory": random.choice(MEMORIES)}
    sidecar = {"restartPolicy": "Always"} if random.random() < 0.5 else {}
    return {
        "initContainers": [{"name": "first", "image": "any", "resources": {"requests": asked}, **sidecar}]
    }


RULES = (_plain, _plain, _plain, _arch, _zone, _label, _spread, _spread, _apart, _together, _port, _init)
