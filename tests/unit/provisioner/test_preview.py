"""Pods held by a gate: what they would cost, said once, and how they get free."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.core import parse, preview
from provisioner.core.decide import decide
from provisioner.core.model import Owner, Pod
from provisioner.core.policy import AUTOMATIC, MANUAL, MODES, OPTIMAL, Headroom, Policy
from provisioner.core.snapshot import Snapshot
from provisioner.kube import Kube, KubeUnavailable
from tests.support.kube_json import pod_json
from tests.support.packing import rounds
from tests.support.provision import NOW, amounts, catalog, node, offering, pod
from tests.support.world import World

MARKET = catalog(offering("small", "1"), offering("large", "1.5", vcpus=4, memory_gib=Decimal(16)))
POLICY = Policy(mode=OPTIMAL)
BY_HAND = replace(POLICY, preview_release=MANUAL)
BY_PRICE = replace(POLICY, preview_release=AUTOMATIC, preview_max_price_per_hour=Decimal("1.2"))
APPROVED = {preview.APPROVED_KEY: "true"}


def held(name: str = "held", cpu: str = "700m", gate: str = preview.GATES[0], **changes: Any) -> Pod:
    return pod(name, cpu, "2Gi", is_gated=True, gates=(gate,), **changes)


def seen(*pods: Pod, policy: Policy = POLICY, **snapshot: Any) -> Iterator[preview.Estimate]:
    there = Snapshot(pods, **snapshot)
    plan = decide(there, MARKET, policy, NOW, rounds(9))
    return preview.estimates(plan, there, MARKET, policy, NOW, {})


def told(*pods: Pod, policy: Policy = POLICY, **snapshot: Any) -> dict[str, str]:
    return {
        each.name: preview.text(each, estimate, policy)
        for estimate in seen(*pods, policy=policy, **snapshot)
        for each in estimate.pods
    }


@pytest.mark.parametrize("gate", ["rightsize.io/preview", "nodecostestimate"])
def test_a_held_pods_node_and_price_are_told(gate: str) -> None:
    said = told(held(gate=gate))["held"]
    assert said.startswith("would cost $1 an hour: small in z1 would be bought for it")


def test_other_gates_are_not_ours() -> None:
    assert told(held(gate="kueue.x-k8s.io/admission"), pod("free")) == {}
    both = replace(held(), gates=("kueue.x-k8s.io/admission", preview.GATES[0]))
    assert preview.gates_of(both) == (preview.GATES[0],)


def test_a_pod_that_is_not_served_is_not_previewed() -> None:
    policy = replace(POLICY, pod_selector={"ours": "yes"})
    assert set(told(held("a"), held("b", labels={"ours": "yes"}), policy=policy)) == {"b"}


def test_room_that_is_there_costs_nothing() -> None:
    assert told(held(), nodes=(node("n"),))["held"].startswith("would cost nothing more: n has room for it")


def test_room_that_the_plan_gives_to_others_is_not_counted_on() -> None:
    there = (node("n", "1", "4Gi"),)
    assert "small in z1" in told(held(), pod("first", "700m", "2Gi"), nodes=there)["held"]


def test_what_the_plan_buys_is_counted_on() -> None:
    said = told(held(), pod("first", "2500m", "2Gi"))["held"]
    assert said.startswith("would cost nothing more: (planned node 1) has room for it")


def test_what_has_to_be_bought_to_keep_room_free_is_counted() -> None:
    policy = replace(POLICY, headroom=Headroom(1, amounts("900m", "3Gi")))
    said = told(held(), policy=policy)["held"]
    assert said.startswith(
        "would cost $1 an hour: (planned node 1) has room for it, and small keeps what is to stay free"
    )


def test_each_pod_is_planned_as_if_there_were_no_other() -> None:
    said = told(held("a"), held("b"))
    assert set(said) == {"a", "b"}
    assert all("$1 an hour: small" in text for text in said.values())


def test_why_one_could_not_run_is_told() -> None:
    said = told(held(cpu="90"))["held"]
    assert said.startswith("would stay pending: it asks for 90000m CPU (the most is 4000m)")
    assert "(too-large)" in said


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_a_price(mode: str) -> None:
    assert told(held(), policy=replace(POLICY, mode=mode))["held"].startswith("would cost $1 an hour: small")


def test_pods_of_one_workload_are_planned_once() -> None:
    owner = Owner("ReplicaSet", "web", "web")
    (estimate,) = seen(*(held(name, owner=owner) for name in "abc"))
    assert [each.name for each in estimate.pods] == ["a", "b", "c"]
    assert len(list(seen(*(held(name, owner=owner, claims=(name,)) for name in "abc")))) == 3


def test_those_seen_longest_ago_come_first_and_approved_ones_before_them() -> None:
    there = Snapshot((held("a"), held("b"), held("c"), held("d", annotations=APPROVED)))
    plan = decide(there, MARKET, BY_HAND, NOW, rounds(9))
    last = {"default/a": NOW, "default/b": NOW - timedelta(seconds=9), "default/d": NOW}
    order = preview.estimates(plan, there, MARKET, BY_HAND, NOW, last)
    assert [each.pods[0].name for each in order] == ["d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("policy", "changes", "freed"),
    [
        (POLICY, {}, False),
        (POLICY, {"annotations": APPROVED}, False),
        (BY_HAND, {}, False),
        (BY_HAND, {"annotations": APPROVED}, True),
        (BY_HAND, {"annotations": {preview.APPROVED_KEY: "no"}}, False),
        (BY_PRICE, {}, True),
        (BY_PRICE, {"cpu": "3"}, False),
        (BY_PRICE, {"cpu": "3", "annotations": APPROVED}, True),
        (BY_PRICE, {"cpu": "90"}, False),
        (replace(BY_PRICE, preview_max_price_per_hour=None), {"cpu": "3"}, True),
    ],
)
def test_release_is_by_approval_or_by_price(policy: Policy, changes: dict[str, Any], *, freed: bool) -> None:
    (estimate,) = seen(held(**changes), policy=policy)
    assert preview.is_released(estimate.pods[0], estimate, policy) == freed


@pytest.mark.parametrize(
    ("policy", "cpu", "ending"),
    [
        (POLICY, "1", "; remove the gate to run it"),
        (
            BY_HAND,
            "700m",
            "small in z1 would be bought for it; runs when it is annotated rightsize.io/approved=true",
        ),
        (BY_PRICE, "700m", "; released"),
        (
            BY_PRICE,
            "3",
            ", more than preview_max_price_per_hour ($1.2); runs when it is annotated rightsize.io/approved=true",
        ),
    ],
)
def test_what_it_waits_for_is_told(policy: Policy, cpu: str, ending: str) -> None:
    assert told(held(cpu=cpu), policy=policy)["held"].endswith(ending)


def test_gates_are_read_by_name() -> None:
    raw = pod_json("a")
    raw["spec"]["schedulingGates"] = [{"name": "rightsize.io/preview"}, {"name": "other"}]
    read = parse.pod(raw)
    assert (read.gates, read.is_gated) == (("rightsize.io/preview", "other"), True)


def test_only_gates_that_are_ours_are_taken_from_the_pod_that_was_seen() -> None:
    asked: list[Any] = []
    core = SimpleNamespace(patch_namespaced_pod=lambda *words, **_: asked.append(words))
    Kube(core).release(held(), ["rightsize.io/preview"])
    body = {
        "metadata": {"uid": "uid-held"},
        "spec": {"schedulingGates": [{"name": "rightsize.io/preview", "$patch": "delete"}]},
    }
    assert asked == [("held", "default", body)]


def events(world: World) -> list[str]:
    return [message for _, reason, message in world.cluster.events if reason == "CostPreview"]


def test_the_preview_is_an_event_said_once_and_again_when_it_changes() -> None:
    world = World(MARKET, POLICY)
    world.cluster.add(held())
    world.rounds(3)
    assert [said.partition(":")[0] for said in events(world)] == ["would cost $1 an hour"]
    world.cluster.nodes["n"] = node("n")
    world.rounds(3)
    assert [said.partition(":")[0] for said in events(world)][1:] == ["would cost nothing more"]
    assert (world.bought, world.cluster.pods["held"].is_gated) == ([], True)


def test_an_approved_pod_is_released_and_gets_its_node() -> None:
    world = World(MARKET, BY_HAND)
    world.cluster.add(held())
    world.rounds(2)
    assert (world.bought, world.cluster.pods["held"].is_gated) == ([], True)
    world.cluster.add(replace(world.cluster.pods["held"], annotations=APPROVED))
    world.rounds(3)
    assert (world.bought, world.cluster.pending) == (["small"], [])


def test_what_is_cheap_enough_is_released_by_itself_and_what_is_dear_waits() -> None:
    world = World(MARKET, BY_PRICE)
    world.cluster.add(held("cheap"), held("dear", "3"))
    world.rounds(3)
    assert (world.bought, world.cluster.pending) == (["small"], ["dear"])


def test_a_release_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(MARKET, BY_PRICE)
    world.cluster.add(held())

    def refuse(*_: Any) -> None:
        raise KubeUnavailable("restarting")

    with monkeypatch.context() as away:
        away.setattr(world.cluster, "release", refuse)
        world.rounds(2)
    assert world.cluster.pods["held"].is_gated
    world.rounds(3)
    assert world.cluster.pending == []


def test_without_time_one_workload_a_round_is_previewed_and_each_has_its_turn() -> None:
    ticks = iter(range(1000))
    world = World(MARKET, replace(POLICY, decision_deadline_s=0), lambda: next(ticks))
    world.cluster.add(held("a"), held("b"), held("c"))
    world.step()
    assert len(events(world)) == 1
    world.rounds(2)
    assert sorted(name for name, reason, _ in world.cluster.events if reason == "CostPreview") == [
        "a",
        "b",
        "c",
    ]
