"""Rules of the kube-scheduler, read from objects as the API has them: nothing is bought that could not run the pod."""

from dataclasses import replace
from typing import Any

import pytest

from provisioner.core import parse
from provisioner.core.decide import decide
from provisioner.core.model import HOSTNAME, ZONE, Node, Pod, Taint
from provisioner.core.plan import Plan
from provisioner.core.policy import MODES, Policy
from provisioner.core.site import Site, room_of
from provisioner.core.snapshot import Snapshot
from tests.support.packing import rounds
from tests.support.provision import ANY_ARCH, NOW, catalog, codes, flexible, node, offering

MARKET = catalog(flexible(zones=("z1", "z2")))
ONE_ZONE = catalog(flexible(zones=("z1",)))
every_mode = pytest.mark.parametrize("mode", MODES)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def pod(
    name: str = "p", labels: dict[str, str] | None = None, namespace: str = "default", **spec: Any
) -> Pod:
    container = {"name": "main", "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}}}
    return parse.pod(
        {
            "metadata": {"name": name, "namespace": namespace, "uid": name, "labels": labels or {"app": "a"}},
            "spec": {"containers": [container], **spec},
        }
    )


def at(one: Pod, where: str, **changes: Any) -> Pod:
    return replace(one, node_name=where, phase="Running", **changes)


def planned(
    *pods: Pod, mode: str = "optimal", market: Any = MARKET, nodes: tuple[Node, ...] = (), **policy: Any
) -> Plan:
    chosen: Policy = replace(
        ANY_ARCH, mode=mode, bin_packing_node_cpu=1000, bin_packing_node_memory=2**30, **policy
    )
    return decide(Snapshot(pods, nodes), market, chosen, NOW, rounds(8))


def spread(key: str = ZONE, **rule: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": "a"}}
    rule = {"topologyKey": key, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", **rule}
    return {"topologySpreadConstraints": [{"labelSelector": selector, **rule}]}


def term(key: str = HOSTNAME, **rule: Any) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": "a"}}, **rule}


def anti(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"affinity": {"podAntiAffinity": {REQUIRED: list(terms)}}}


def near(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"affinity": {"podAffinity": {REQUIRED: list(terms)}}}


def rooms(plan: Plan) -> list[str]:
    return [each.node for each in plan.existing]


class TestSpread:
    """Which places count, and for how much."""

    @every_mode
    def test_zones_that_count_and_cannot_be_bought_in_hold_pods_back(self, mode: str) -> None:
        elsewhere = node("m", "1m", labels={ZONE: "z9"})
        plan = planned(
            *(pod(f"p{n}", **spread()) for n in range(4)), mode=mode, market=ONE_ZONE, nodes=(elsewhere,)
        )
        assert len(codes(plan)) == 3
        assert set(map(tuple, codes(plan).values())) == {("spread",)}

    @every_mode
    def test_zones_that_the_pod_does_not_allow_do_not_count(self, mode: str) -> None:
        elsewhere = node("m", "1m", labels={ZONE: "z9"})
        chosen = [pod(f"p{n}", nodeSelector={ZONE: "z1"}, **spread()) for n in range(4)]
        assert codes(planned(*chosen, mode=mode, nodes=(elsewhere,))) == {}

    @every_mode
    def test_they_count_where_affinity_is_ignored(self, mode: str) -> None:
        elsewhere = node("m", "1m", labels={ZONE: "z9"})
        rule = spread(nodeAffinityPolicy="Ignore")
        chosen = [pod(f"p{n}", nodeSelector={ZONE: "z1"}, **rule) for n in range(4)]
        assert len(codes(planned(*chosen, mode=mode, nodes=(elsewhere,)))) == 3

    @every_mode
    @pytest.mark.parametrize(("policy", "left"), [("Ignore", 3), ("Honor", 0)])
    def test_tainted_nodes_count_unless_taints_are_honoured(self, mode: str, policy: str, left: int) -> None:
        tainted = node("m", labels={ZONE: "z9"}, taints=(Taint("k", "v", "NoSchedule"),))
        chosen = [pod(f"p{n}", **spread(nodeTaintsPolicy=policy)) for n in range(4)]
        assert len(codes(planned(*chosen, mode=mode, market=ONE_ZONE, nodes=(tainted,)))) == left

    @every_mode
    @pytest.mark.parametrize(("least", "left"), [(1, 0), (2, 0), (3, 2)])
    def test_too_few_places_count_as_an_empty_one(self, mode: str, least: int, left: int) -> None:
        chosen = [pod(f"p{n}", **spread(minDomains=least)) for n in range(4)]
        assert len(codes(planned(*chosen, mode=mode))) == left

    @every_mode
    def test_pods_that_are_going_do_not_count(self, mode: str) -> None:
        there = (node("n1", labels={ZONE: "z1"}), node("n2", "1m", labels={ZONE: "z2"}))
        going = at(pod("r"), "n1", is_deleting=True)
        plan = planned(going, pod("p", nodeSelector={ZONE: "z1"}, **spread()), mode=mode, nodes=there)
        assert rooms(plan) == ["n1"]

    @every_mode
    def test_a_revision_is_spread_by_itself(self, mode: str) -> None:
        there = (node("n1", labels={ZONE: "z1"}), node("n2", "1m", labels={ZONE: "z2"}))
        rule = spread(matchLabelKeys=["rev"], nodeAffinityPolicy="Ignore")
        old = at(pod("old", {"app": "a", "rev": "1"}), "n1")
        new = pod("new", {"app": "a", "rev": "2"}, nodeSelector={ZONE: "z1"}, **rule)
        assert rooms(planned(old, new, mode=mode, nodes=there)) == ["n1"]

    def test_counts_are_those_of_now_for_a_pod_that_was_asked_about_before(self) -> None:
        one, two = (room_of(node(name, labels={ZONE: zone})) for name, zone in (("n1", "z1"), ("n2", "z2")))
        site, wanted = Site([one, two]), pod("p", **spread())
        assert site.why_not(wanted, one) is None
        site.put(pod("other"), one)
        assert site.why_not(wanted, one) is not None
        site.put(pod("another"), two)
        assert site.why_not(wanted, one) is None


class TestOtherPods:
    """Which pods a term is about."""

    @every_mode
    def test_all_terms_have_to_be_about_the_same_companion(self, mode: str) -> None:
        there = (node("n1", labels={ZONE: "z1"}),)
        terms = (term(), term(labelSelector={"matchLabels": {"tier": "x"}}))
        apart = (at(pod("one"), "n1"), at(pod("two", {"tier": "x"}), "n1"))
        wanted = pod("p", {"app": "b"}, **near(*terms))
        assert codes(planned(*apart, wanted, mode=mode, nodes=there)) == {"p": ["affinity"]}
        both = at(pod("both", {"app": "a", "tier": "x"}), "n1")
        assert rooms(planned(both, wanted, mode=mode, nodes=there)) == ["n1"]

    @every_mode
    def test_the_first_of_a_group_has_to_be_meant_by_all_its_terms(self, mode: str) -> None:
        terms = (term(), term(labelSelector={"matchLabels": {"tier": "x"}}))
        assert codes(planned(pod("p", {"app": "a"}, **near(*terms)), mode=mode)) == {"p": ["affinity"]}
        assert codes(planned(pod("p", {"app": "a", "tier": "x"}, **near(*terms)), mode=mode)) == {}

    @every_mode
    @pytest.mark.parametrize(
        ("rule", "is_kept_away"),
        [
            ({}, False),
            ({"namespaces": ["other"]}, True),
            ({"namespaceSelector": {}}, True),
            ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}, True),
            ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "third"}}}, False),
            ({"namespaceSelector": {"matchLabels": {"team": "red"}}}, True),
            (
                {
                    "namespaces": ["other"],
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "third"}},
                },
                True,
            ),
        ],
    )
    def test_namespaces_of_a_term(self, mode: str, rule: dict[str, Any], is_kept_away: bool) -> None:
        running = at(pod("r", namespace="other"), "n1")
        plan = planned(running, pod(**anti(term(**rule))), mode=mode, nodes=(node("n1"),))
        assert bool(plan.nodes) is is_kept_away

    @every_mode
    def test_company_in_namespaces_that_are_not_known_is_not_bought_for(self, mode: str) -> None:
        rule = term(namespaceSelector={"matchLabels": {"team": "red"}})
        plan = planned(pod(**near(rule)), mode=mode)
        assert codes(plan) == {"p": ["affinity"]}
        assert "labels of namespaces" in plan.unplaced[0].reasons[0].text

    @every_mode
    @pytest.mark.parametrize(
        ("keys", "is_kept_away"),
        [({"matchLabelKeys": ["rev"]}, False), ({"mismatchLabelKeys": ["rev"]}, True), ({}, True)],
    )
    def test_labels_of_its_own_narrow_a_term(
        self, mode: str, keys: dict[str, Any], is_kept_away: bool
    ) -> None:
        running = at(pod("r", {"app": "a", "rev": "1"}), "n1")
        new = pod("p", {"app": "a", "rev": "2"}, **anti(term(**keys)))
        assert bool(planned(running, new, mode=mode, nodes=(node("n1"),)).nodes) is is_kept_away


class TestNodes:
    """What keeps a pod off a node by itself."""

    @pytest.mark.parametrize("operator", ["Gt", "Lt", "Sometimes"])
    def test_a_toleration_of_an_unknown_operator_passes_nothing(self, operator: str) -> None:
        tolerant = pod(tolerations=[{"key": "k", "operator": operator, "value": "v"}])
        tainted = node("n1", taints=(Taint("k", "v", "NoSchedule"),))
        assert rooms(planned(tolerant, nodes=(tainted,))) == []

    def test_ports_of_init_containers_do_not_collide_unless_they_stay(self) -> None:
        port = {"ports": [{"containerPort": 80, "hostPort": 80}]}
        ending = pod("a", initContainers=[{"name": "i", **port}])
        staying = pod("b", initContainers=[{"name": "i", "restartPolicy": "Always", **port}])
        assert (ending.host_ports, len(staying.host_ports)) == ((), 1)

    @every_mode
    def test_a_pod_for_another_system_gets_no_node(self, mode: str) -> None:
        assert codes(planned(pod(os={"name": "windows"}), mode=mode)) == {"p": ["selector"]}
        assert codes(planned(pod(os={"name": "linux"}), mode=mode)) == {}

    @every_mode
    def test_claimed_devices_are_not_known(self, mode: str) -> None:
        plan = planned(pod(resourceClaims=[{"name": "gpu"}]), mode=mode)
        assert (codes(plan), plan.nodes) == ({"p": ["no-offering"]}, ())

    def test_fields_of_a_node_can_be_asked_for(self) -> None:
        field = {"key": "metadata.name", "operator": "In", "values": ["n2"]}
        affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchFields": [field]}]}}}
        there = (node("n1"), node("n2"))
        assert rooms(planned(pod(affinity=affinity), nodes=there)) == ["n2"]
        assert codes(planned(pod(affinity=affinity), nodes=there[:1])) == {"p": ["affinity"]}


@every_mode
def test_under_a_limit_those_of_higher_priority_are_bought_for_first(mode: str) -> None:
    market = catalog(offering(vcpus=4, memory_gib=flexible().gib_per_ocpu_max))
    wanted = [
        pod(
            f"p{value}",
            priority=value,
            containers=[{"name": "main", "resources": {"requests": {"cpu": "2500m"}}}],
        )
        for value in (0, 5, 1000, -7)
    ]
    plan = planned(*wanted, mode=mode, market=market, max_nodes=2)
    assert sorted(codes(plan)) == ["p-7", "p0"]
