"""What the provisioner may do follows from its policy, and is no more than that."""

from dataclasses import replace
from decimal import Decimal

from components.provisioner_manifests import Policy, rules
from provisioner.settings import PolicySettings

POLICY = Policy("optimal", False, (), ("arm64",), ("on-demand",), 300, 20, None)


def rights(policy: Policy) -> set[tuple[str, str]]:
    return {
        (resource, verb) for rule in rules(policy) for resource in rule["resources"] for verb in rule["verbs"]
    }


def test_it_sees_pods_and_lets_them_in_to_nodes() -> None:
    found = {right for right in rights(POLICY) if right[0].startswith("pods")}
    assert found == {("pods", "list"), ("pods", "patch")}


def test_it_sees_use_and_evicts_where_it_relieves_hot_nodes() -> None:
    resources = {
        resource for rule in rules(replace(POLICY, hot_nodes=True)) for resource in rule["resources"]
    }
    assert {"pods/eviction", "poddisruptionbudgets"} <= resources
    groups = {group for rule in rules(POLICY) for group in rule["apiGroups"]}
    assert "metrics.k8s.io" not in groups
    measured = [
        each for each in rules(replace(POLICY, hot_nodes=True)) if each["apiGroups"] == ["metrics.k8s.io"]
    ]
    assert [(each["resources"], each["verbs"]) for each in measured] == [(["pods", "nodes"], ["list"])]


def test_the_provisioner_reads_the_policy_as_it_is_meant() -> None:
    policy = replace(
        POLICY,
        preview_release="automatic",
        preview_max_price_per_hour=Decimal("0.5"),
        max_price_per_hour=Decimal(7),
    )
    read = PolicySettings.model_validate(policy.document()).policy()
    assert (read.preview_release, read.preview_max_price_per_hour) == ("automatic", Decimal("0.5"))
    assert read.max_price_per_hour == Decimal(7)
    overhead = replace(POLICY, node_overhead_price_per_hour=Decimal("0.0029"))
    read = PolicySettings.model_validate(overhead.document()).policy()
    assert read.node_overhead_price_per_hour == Decimal("0.0029")
    assert PolicySettings.model_validate(replace(POLICY, hot_nodes=True).document()).policy().hot_nodes
    assert PolicySettings.model_validate(POLICY.document()).policy().preview_max_price_per_hour is None


def test_it_moves_pods_where_it_replaces_nodes() -> None:
    more = rights(replace(POLICY, replaces_nodes=True)) - rights(POLICY)
    assert more == {("pods/eviction", "create"), ("poddisruptionbudgets", "list")}


def test_further_settings_stand_beside_the_policys_own() -> None:
    document = replace(POLICY, upkeep={"expire_after_s": 60}).document()
    assert PolicySettings.model_validate(document).policy().expire_after_s == 60
