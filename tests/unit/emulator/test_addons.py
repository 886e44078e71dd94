"""Add-ons and the cluster autoscaler's view of the cloud."""

from typing import Any

import oci
import pytest

from emulator.kube.spec import CloudRefused
from emulator.oci import account
from tests.support.oracle import Ground, Oracle, cluster_details, pool_details
from tests.support.until import until

models = oci.container_engine.models


@pytest.fixture
def pool(oracle: Oracle, place: Ground, cluster: str) -> str:
    return oracle.succeeded(oracle.engine().create_node_pool(pool_details(oracle, place, cluster, size=0)))


def refused(call: Any, status: int) -> str:
    with pytest.raises(oci.exceptions.ServiceError) as refusal:
        call()
    assert refusal.value.status == status
    return str(refusal.value.message)


def autoscaler(pool: str, **more: str) -> Any:
    settings = {"nodes": f"0:4:{pool}", "scanInterval": "2s", **more}
    pairs = [models.AddonConfiguration(key=key, value=value) for key, value in settings.items()]
    return models.InstallAddonDetails(addon_name="ClusterAutoscaler", configurations=pairs)


def test_the_autoscaler_runs_with_its_settings_until_it_is_disabled(
    oracle: Oracle, cluster: str, pool: str
) -> None:
    engine = oracle.engine()
    oracle.succeeded(engine.install_addon(cluster, autoscaler(pool)))
    settings = oracle.kubes[0].autoscaler
    assert settings is not None
    assert [(limits.pool_id, limits.least, limits.most) for limits in settings.nodes] == [(pool, 0, 4)]
    shown = engine.get_addon(cluster, "ClusterAutoscaler").data
    assert (shown.lifecycle_state, {pair.key for pair in shown.configurations}) == (
        "ACTIVE",
        {"nodes", "scanInterval"},
    )
    change = models.UpdateAddonDetails(
        configurations=[models.AddonConfiguration(key="nodes", value=f"1:9:{pool}")]
    )
    oracle.succeeded(engine.update_addon(cluster, "ClusterAutoscaler", change))
    assert oracle.kubes[0].autoscaler is not None
    assert oracle.kubes[0].autoscaler.nodes[0].most == 9
    oracle.succeeded(engine.disable_addon(cluster, "ClusterAutoscaler", True))
    assert oracle.kubes[0].autoscaler is None
    refused(lambda: engine.get_addon(cluster, "ClusterAutoscaler"), 404)


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"nodes": "0:4"}, "nodes"), ({"nodez": "1"}, "nodez"), ({"scanInterval": "soon"}, "soon")],
)
def test_wrong_settings_are_refused(
    oracle: Oracle, cluster: str, pool: str, settings: dict[str, str], named: str
) -> None:
    assert named in refused(lambda: oracle.engine().install_addon(cluster, autoscaler(pool, **settings)), 400)


def test_an_addon_is_installed_once(oracle: Oracle, cluster: str, pool: str) -> None:
    engine = oracle.engine()
    oracle.succeeded(engine.install_addon(cluster, autoscaler(pool)))
    refused(lambda: engine.install_addon(cluster, autoscaler(pool)), 409)


def test_a_basic_cluster_has_no_addons(oracle: Oracle, place: Ground) -> None:
    cluster = oracle.succeeded(oracle.engine().create_cluster(cluster_details(place, type="BASIC_CLUSTER")))
    assert "ENHANCED_CLUSTER" in refused(lambda: oracle.engine().list_addons(cluster), 400)


def test_the_metrics_server_needs_certificates_first(oracle: Oracle, cluster: str) -> None:
    engine = oracle.engine()
    details = models.InstallAddonDetails(addon_name="KubernetesMetricsServer")
    request = oracle.finished(engine.install_addon(cluster, details))
    errors = engine.list_work_request_errors(account.COMPARTMENT, request.id).data
    assert [error.code for error in errors] == ["MissingDependency"]
    assert engine.get_addon(cluster, "KubernetesMetricsServer").data.lifecycle_state == "NEEDS_ATTENTION"


def test_every_offered_addon_has_a_version(oracle: Oracle, cluster: str) -> None:
    offered = oracle.engine().list_addon_options("v1.36.3").data
    assert all(option.versions for option in offered)
    present = {addon.name for addon in oracle.engine().list_addons(cluster).data}
    assert present == {"CoreDNS", "KubeProxy", "OciVcnIpNative"}
    assert present < {option.name for option in offered}


def test_the_autoscaler_sees_grows_and_shrinks_pools(oracle: Oracle, pool: str) -> None:
    hooks = oracle.kubes[0].hooks
    assert hooks is not None
    (seen,) = hooks.scalable_pools()
    assert (seen.id, seen.size, seen.node_names) == (pool, 0, ())
    assert seen.template.allocatable.cpu_millicores == 1830
    hooks.grow_pool(pool, 2)
    until("two nodes are there", lambda: len(oracle.kubes[0].nodes) == 2)
    until("the pool is free", lambda: oracle.engine().get_node_pool(pool).data.lifecycle_state == "ACTIVE")
    oracle.world.work.join(5)
    hooks.delete_node(pool, "10.0.1.2")
    until("one node is left", lambda: set(oracle.kubes[0].nodes) == {"10.0.1.3"})
    hooks.delete_node(pool, "10.0.1.2")
    assert hooks.scalable_pools()[0].size == 1


@pytest.mark.usefixtures("cluster")
def test_a_pool_that_is_gone_is_refused(oracle: Oracle) -> None:
    hooks = oracle.kubes[0].hooks
    assert hooks is not None
    with pytest.raises(CloudRefused, match="not found"):
        hooks.grow_pool("ocid1.nodepool.oc1.iad.none", 1)


def test_an_autoscaler_with_workload_identity_needs_a_policy(oracle: Oracle, cluster: str, pool: str) -> None:
    oracle.succeeded(oracle.engine().install_addon(cluster, autoscaler(pool, authType="workload")))
    hooks = oracle.kubes[0].hooks
    assert hooks is not None
    with pytest.raises(CloudRefused, match="manage cluster-node-pools"):
        hooks.grow_pool(pool, 1)
    statement = (
        f"Allow any-user to manage cluster-node-pools in compartment id {account.COMPARTMENT} where ALL "
        "{request.principal.type='workload', request.principal.namespace='kube-system', "
        f"request.principal.service_account='cluster-autoscaler', request.principal.cluster_id='{cluster}'}}"
    )
    oracle.identity().create_policy(
        oci.identity.models.CreatePolicyDetails(
            compartment_id=account.COMPARTMENT, name="p", description="d", statements=[statement]
        )
    )
    hooks.grow_pool(pool, 1)
    until("the node is there", lambda: len(oracle.kubes[0].nodes) == 1)
