"""The emulation cannot invent: all it takes and answers exists in the SDK's models."""

from collections.abc import Callable
from typing import Any

import httpx
import oci
import pytest
from pydantic import BaseModel

from emulator.oci import account, artifacts_api, network_kinds, wire
from tests.support.oracle import Ground, Oracle, pool_details
from tests.support.sdk_models import faults

engine_models = oci.container_engine.models
models = oci.artifacts.models
PLACED = {"compartmentId": account.COMPARTMENT}


@pytest.fixture
def ask(oracle: Oracle) -> Callable[..., Any]:
    def get(path: str, **query: str) -> Any:
        answer = httpx.get(oracle.endpoint + path, params=query, headers={"authorization": "Emulated test"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


@pytest.fixture
def furnished(oracle: Oracle, place: Ground, cluster: str) -> tuple[str, str]:
    """A cluster and its pool with everything set that can be shown."""
    engine = oracle.engine()
    details = pool_details(
        oracle,
        place,
        cluster,
        initial_node_labels=[engine_models.KeyValue(key="a", value="b")],
        node_metadata={"user_data": "eA=="},
        node_eviction_node_pool_settings=engine_models.NodeEvictionNodePoolSettings(
            eviction_grace_duration="PT5M"
        ),
        node_pool_cycling_details=engine_models.NodePoolCyclingDetails(is_node_cycling_enabled=True),
        freeform_tags={"c": "d"},
    )
    pool = oracle.succeeded(engine.create_node_pool(details))
    oracle.world.pools[pool].instances[next(iter(oracle.world.pools[pool].instances))].error = (
        "code",
        "message",
    )
    oracle.finished(
        engine.install_addon(cluster, engine_models.InstallAddonDetails(addon_name="KubernetesMetricsServer"))
    )
    return cluster, pool


def test_every_answer_of_the_container_engine_is_the_sdks(
    ask: Callable[..., Any], furnished: tuple[str, str]
) -> None:
    cluster, pool = furnished
    base = "/20180222"
    requests = ask(f"{base}/workRequests", **PLACED)
    failed = next(request["id"] for request in requests if request["status"] == "FAILED")
    done = next(request["id"] for request in requests if request["operationType"] == "NODEPOOL_CREATE")
    answers = {
        "Cluster": ask(f"{base}/clusters/{cluster}"),
        "list[ClusterSummary]": ask(f"{base}/clusters", **PLACED),
        "NodePool": ask(f"{base}/nodePools/{pool}"),
        "list[NodePoolSummary]": ask(f"{base}/nodePools", **PLACED),
        "WorkRequest": ask(f"{base}/workRequests/{done}"),
        "list[WorkRequestSummary]": requests,
        "list[WorkRequestError]": ask(f"{base}/workRequests/{failed}/errors", **PLACED),
        "list[WorkRequestLogEntry]": ask(f"{base}/workRequests/{done}/logs", **PLACED),
        "ClusterOptions": ask(f"{base}/clusterOptions/all"),
        "NodePoolOptions": ask(f"{base}/nodePoolOptions/all"),
        "Addon": ask(f"{base}/clusters/{cluster}/addons/KubernetesMetricsServer"),
        "list[AddonSummary]": ask(f"{base}/clusters/{cluster}/addons"),
        "list[AddonOptionSummary]": ask(f"{base}/addonOptions", kubernetesVersion="v1.36.3"),
    }
    assert all(answers.values())
    for kind, value in answers.items():
        assert list(faults(value, kind, engine_models, kind)) == []


def test_states_and_operations_are_the_sdks(oracle: Oracle, furnished: tuple[str, str]) -> None:
    cluster, pool = furnished
    engine = oracle.engine()
    engine_pool = engine.get_node_pool(pool).data
    shown = [
        engine.get_cluster(cluster).data.lifecycle_state,
        engine_pool.lifecycle_state,
        *(node.lifecycle_state for node in engine_pool.nodes),
        *(addon.lifecycle_state for addon in engine.list_addons(cluster).data),
    ]
    oracle.succeeded(engine.delete_node(pool, engine_pool.nodes[0].id))
    oracle.succeeded(engine.delete_node_pool(pool))
    oracle.succeeded(engine.disable_addon(cluster, "KubernetesMetricsServer", True))
    oracle.succeeded(engine.delete_cluster(cluster))
    for request in engine.list_work_requests(account.COMPARTMENT).data:
        shown += [
            request.operation_type,
            request.status,
            *(resource.action_type for resource in request.resources),
        ]
    assert "UNKNOWN_ENUM_VALUE" not in shown  # what the SDK makes of a value it does not know


def test_every_answer_of_network_and_identity_is_the_sdks(
    oracle: Oracle, place: Ground, ask: Callable[..., Any]
) -> None:
    network, identity = oracle.network(), oracle.identity()
    core, people = oci.core.models, oci.identity.models
    shared = {"compartment_id": account.COMPARTMENT, "vcn_id": place.vcn}
    service = network.list_services().data[0].id
    network.create_internet_gateway(core.CreateInternetGatewayDetails(is_enabled=True, **shared))
    nat = network.create_nat_gateway(core.CreateNatGatewayDetails(**shared)).data
    network.create_service_gateway(
        core.CreateServiceGatewayDetails(
            services=[core.ServiceIdRequestDetails(service_id=service)], **shared
        )
    )
    network.create_route_table(
        core.CreateRouteTableDetails(
            route_rules=[core.RouteRule(network_entity_id=nat.id, destination="0.0.0.0/0")], **shared
        )
    )
    network.add_network_security_group_security_rules(
        place.group,
        core.AddNetworkSecurityGroupSecurityRulesDetails(
            security_rules=[
                core.AddSecurityRuleDetails(direction="INGRESS", protocol="all", source="10.0.0.0/8")
            ]
        ),
    )
    owned = {"compartment_id": account.COMPARTMENT, "name": "n", "description": "d"}
    identity.create_policy(
        people.CreatePolicyDetails(statements=["Allow group g to manage all-resources in tenancy"], **owned)
    )
    identity.create_dynamic_group(people.CreateDynamicGroupDetails(matching_rule="ALL {}", **owned))
    base = "/20160918"
    for kind in network_kinds.KINDS.values():
        models = people if kind.service == "identity" else core
        listed = ask(f"{base}/{kind.path}", **PLACED)
        assert listed, kind.path
        assert list(faults(listed, f"list[{kind.model}]", models, kind.path)) == []
    rules = ask(f"{base}/networkSecurityGroups/{place.group}/securityRules")
    assert list(faults(rules, "list[SecurityRule]", core, "rules")) == []
    assert list(faults(ask(f"{base}/services"), "list[Service]", core, "services")) == []
    domains = ask(f"{base}/availabilityDomains", **PLACED)
    assert list(faults(domains, "list[AvailabilityDomain]", people, "domains")) == []


def test_every_answer_about_container_repositories_is_the_sdks(
    oracle: Oracle, ask: Callable[..., Any]
) -> None:
    details = models.CreateContainerRepositoryDetails(
        compartment_id=account.COMPARTMENT, display_name="one/rightsize/serving", is_public=False
    )
    made = oracle.artifacts().create_container_repository(details).data
    base = "/20160918/container/repositories"
    assert list(faults(ask(f"{base}/{made.id}"), "ContainerRepository", models, "one")) == []
    listed = ask(base, **PLACED)
    assert listed["items"]
    assert list(faults(listed, "ContainerRepositoryCollection", models, "list")) == []


def test_container_repositories_take_only_the_sdks_fields() -> None:
    kind = artifacts_api.REPOSITORIES
    assert kind.accepted <= set(models.CreateContainerRepositoryDetails().attribute_map.values())
    assert set(kind.mutable) <= set(models.UpdateContainerRepositoryDetails().attribute_map.values())


WIRE = {
    wire.CreateCluster: "CreateClusterDetails",
    wire.UpdateCluster: "UpdateClusterDetails",
    wire.ClusterOptions: "ClusterCreateOptions",
    wire.ClusterOptionsChange: "UpdateClusterOptionsDetails",
    wire.EndpointConfig: "CreateClusterEndpointConfigDetails",
    wire.PodNetworkOption: "ClusterPodNetworkOptionDetails",
    wire.KubeconfigContent: "CreateClusterKubeconfigContentDetails",
    wire.CreatePool: "CreateNodePoolDetails",
    wire.UpdatePool: "UpdateNodePoolDetails",
    wire.NodeConfig: "CreateNodePoolNodeConfigDetails",
    wire.NodeConfigChange: "UpdateNodePoolNodeConfigDetails",
    wire.NodeSource: "NodeSourceViaImageDetails",
    wire.ShapeConfig: "CreateNodeShapeConfigDetails",
    wire.Placement: "NodePoolPlacementConfigDetails",
    wire.PreemptibleNodeConfig: "PreemptibleNodeConfigDetails",
    wire.PreemptionAction: "TerminatePreemptionAction",
    wire.PodNetwork: "OciVcnIpNativeNodePoolPodNetworkOptionDetails",
    wire.Eviction: "NodeEvictionNodePoolSettings",
    wire.Cycling: "NodePoolCyclingDetails",
    wire.KeyValue: "KeyValue",
    wire.InstallAddon: "InstallAddonDetails",
    wire.UpdateAddon: "UpdateAddonDetails",
}
DEPRECATED = {"nodeImageName", "quantityPerSubnet", "subnetIds"}


@pytest.mark.parametrize(("model", "name"), WIRE.items(), ids=WIRE.values())
def test_requests_take_exactly_the_sdks_fields(model: type[BaseModel], name: str) -> None:
    fields = {field.alias for field in model.model_fields.values()}
    assert fields == set(getattr(engine_models, name)().attribute_map.values()) - DEPRECATED


def test_no_request_model_is_forgotten() -> None:
    every = {
        value
        for name, value in vars(wire).items()
        if isinstance(value, type) and issubclass(value, wire.Wire) and not name.startswith("_")
    }
    assert every - {wire.Wire, wire.Tagged} == set(WIRE)


@pytest.mark.parametrize("kind", network_kinds.KINDS.values(), ids=lambda kind: kind.path)
def test_resources_take_only_the_sdks_fields(kind: network_kinds.Kind) -> None:
    models = oci.identity.models if kind.service == "identity" else oci.core.models
    created = set(getattr(models, f"Create{kind.model}Details")().attribute_map.values())
    changed = set(getattr(models, f"Update{kind.model}Details")().attribute_map.values())
    assert kind.accepted <= created
    assert set(kind.mutable) <= changed
    assert set(kind.references) <= kind.accepted
