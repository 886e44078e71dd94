"""Faults of the emulated Oracle cloud, through the real SDK."""

from typing import Any

import oci
import pytest

from emulator.cloud import fault as kinds
from emulator.cloud.errors import ApiError
from emulator.injection import Refused
from emulator.oci import account
from tests.support.fake_kube import TOKEN
from tests.support.oracle import Ground, Oracle, pool_details
from tests.support.until import until

models = oci.container_engine.models
A1 = "VM.Standard.A1.Flex"
AD_1, AD_2 = (account.zone_of(each) for each in account.AVAILABILITY_DOMAINS[:2])


def inject(oracle: Oracle, kind: str, **arguments: Any) -> Any:
    return oracle.injection().inject(kind, arguments, None)


def a_pool(oracle: Oracle, place: Ground, cluster: str, **changes: Any) -> str:
    return oracle.succeeded(oracle.engine().create_node_pool(pool_details(oracle, place, cluster, **changes)))


def failed(oracle: Oracle, response: Any) -> tuple[str, str]:
    """Code and message of a work request that has to fail."""
    request = oracle.finished(response)
    assert request.status == "FAILED"
    (error,) = oracle.engine().list_work_request_errors(account.COMPARTMENT, request.id).data
    return error.code, error.message


def nodes(oracle: Oracle, pool: str) -> list[Any]:
    return list(oracle.engine().get_node_pool(pool).data.nodes)


def listed(oracle: Oracle) -> Any:
    return oracle.engine().list_node_pools(account.COMPARTMENT).data


def resized(size: int) -> Any:
    return models.UpdateNodePoolDetails(node_config_details=models.UpdateNodePoolNodeConfigDetails(size=size))


def test_a_sold_out_shape_is_out_of_host_capacity_and_what_runs_stays(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    pool = a_pool(oracle, place, cluster)
    stockout = inject(oracle, "stockout", shape=A1, zone=AD_1, for_s=1e6)
    code, message = failed(oracle, oracle.engine().update_node_pool(pool, resized(3)))
    assert code == "InternalError"
    assert message.startswith("2 node(s) launch failure")
    assert message.endswith("(500, InternalError, false) Out of host capacity.")
    assert len(nodes(oracle, pool)) == 1
    assert oracle.engine().get_node_pool(pool).data.lifecycle_state == "NEEDS_ATTENTION"
    assert (stockout.cloud, stockout.struck) == ("oke", 1)
    oracle.injection().clear(stockout.id)
    oracle.succeeded(oracle.engine().update_node_pool(pool, resized(3)))
    assert len(nodes(oracle, pool)) == 3


def test_a_stockout_of_another_zone_is_none_here(oracle: Oracle, place: Ground, cluster: str) -> None:
    inject(oracle, "stockout", shape=A1, zone=AD_2, for_s=1e6)
    assert len(nodes(oracle, a_pool(oracle, place, cluster))) == 1


def test_a_quota_is_shown_and_enforced(oracle: Oracle, place: Ground, cluster: str) -> None:
    quota = inject(oracle, "quota", shape=A1, limit=3)
    pool = a_pool(oracle, place, cluster)
    limits = oracle._client(oci.limits.LimitsClient).get_resource_availability
    found = limits(
        "compute",
        "standard-a1-core-count",
        account.COMPARTMENT,
        availability_domain=account.AVAILABILITY_DOMAINS[0],
    ).data
    assert (found.used, found.available, found.effective_quota_value) == (2, 1, 3)
    code, message = failed(oracle, oracle.engine().update_node_pool(pool, resized(2)))
    assert code == "LimitExceeded"
    assert (
        "(400, LimitExceeded, false) The following service limits were exceeded: standard-a1-core-count."
        in (message)
    )
    assert quota.struck == 1


def test_a_discontinued_shape_is_neither_listed_nor_sold(oracle: Oracle, place: Ground, cluster: str) -> None:
    pool = a_pool(oracle, place, cluster)
    gone = inject(oracle, "discontinue", shape=A1)
    assert A1 not in oracle.engine().get_node_pool_options("all").data.shapes
    with pytest.raises(oci.exceptions.ServiceError, match="is not available in this region") as refusal:
        oracle.engine().create_node_pool(pool_details(oracle, place, cluster))
    assert (refusal.value.status, gone.struck) == (400, 1)
    assert len(nodes(oracle, pool)) == 1


def test_a_service_in_trouble_says_so_and_others_answer(oracle: Oracle, cluster: str) -> None:
    inject(oracle, "api-error", service="container", rate=1, for_s=1e6)
    seen = []
    for _ in range(3):
        with pytest.raises(oci.exceptions.ServiceError) as trouble:
            oracle.engine().get_cluster(cluster)
        seen.append((trouble.value.status, trouble.value.code))
    assert seen == [(500, "InternalServerError"), (429, "TooManyRequests"), (503, "ServiceUnavailable")]
    assert oracle.network().list_vcns(account.COMPARTMENT).data
    assert oracle.identity().list_availability_domains(account.COMPARTMENT).data


def test_each_service_has_its_own_trouble(oracle: Oracle, cluster: str) -> None:
    inject(oracle, "api-error", service="network", rate=1, for_s=1e6)
    inject(oracle, "api-error", service="identity", rate=1, for_s=1e6)
    assert oracle.engine().get_cluster(cluster).data
    with pytest.raises(oci.exceptions.ServiceError) as trouble:
        oracle.network().list_vcns(account.COMPARTMENT)
    assert trouble.value.code == "InternalServerError"
    with pytest.raises(oci.exceptions.ServiceError) as trouble:
        oracle.identity().list_availability_domains(account.COMPARTMENT)
    assert trouble.value.code == "InternalServerError"
    with pytest.raises(ApiError, match="Too many requests"):
        oracle.region._exchange(cluster, TOKEN, "key")


def test_a_lost_reply_is_of_a_request_that_was_carried_out(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    lost = inject(oracle, "lost-reply", rate=1, for_s=1e6)
    details = pool_details(oracle, place, cluster)
    for _ in range(2):
        with pytest.raises(oci.exceptions.RequestException):
            oracle.engine().create_node_pool(details, opc_retry_token="the same")
    oracle.injection().clear(lost.id)
    oracle.world.work.join(10)
    oracle.succeeded(oracle.engine().create_node_pool(details, opc_retry_token="the same"))
    (pool,) = oracle.engine().list_node_pools(account.COMPARTMENT).data
    assert len(nodes(oracle, pool.id)) == 1
    assert lost.struck == 2


def test_lists_are_behind_and_single_resources_are_not(oracle: Oracle, place: Ground, cluster: str) -> None:
    stale = inject(oracle, "stale-list", behind_s=1e6)
    assert listed(oracle) == []
    pool = a_pool(oracle, place, cluster)
    assert listed(oracle) == []
    assert oracle.engine().get_node_pool(pool).data.id == pool
    assert stale.struck == 1
    oracle.injection().clear(None)
    assert [each.id for each in listed(oracle)] == [pool]


def test_slow_boots_take_their_time(oracle: Oracle, place: Ground, cluster: str) -> None:
    inject(oracle, "slow-boot", takes_s=600)
    a_pool(oracle, place, cluster)
    assert 600 in oracle.clock.waits


def test_a_machine_that_never_joins_is_charged_for_and_said_to_be_broken(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    inject(oracle, "never-join", count=1)
    details = pool_details(oracle, place, cluster, size=2)
    code, message = failed(oracle, oracle.engine().create_node_pool(details))
    assert code == "RegisterTimeOut"
    assert message.startswith("1 nodes(s) register timeout.")
    (pool,) = oracle.engine().list_node_pools(account.COMPARTMENT).data
    broken, whole = nodes(oracle, pool.id)
    assert broken.node_error.message == message
    assert (whole.lifecycle_state, whole.node_error) == ("ACTIVE", None)
    assert [each.provider_id for each in oracle.kubes[0].nodes.values()] == [whole.id]
    assert {each.charge.id for each in oracle.world.meter.running()} > {broken.id, whole.id}
    assert oracle.injection().holding() == ()


def test_a_vanished_machine_is_charged_no_more_and_the_pool_heals(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    pool = a_pool(oracle, place, cluster)
    (before,) = nodes(oracle, pool)
    inject(oracle, "vanish", node=before.private_ip)
    (after,) = until("the pool has another node", lambda: _others(oracle, pool, before.id))
    assert after.id in {each.charge.id for each in oracle.world.meter.running()}
    assert before.id not in {each.charge.id for each in oracle.world.meter.running()}
    assert ("lost", before.private_ip) in oracle.kubes[0].events
    work = oracle.engine().list_work_requests(account.COMPARTMENT).data
    assert work[0].operation_type == "NODEPOOL_RECONCILE"


def test_preemptible_capacity_is_drained_within_its_notice_and_replaced(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    preemptible = models.PreemptibleNodeConfigDetails(
        preemption_action=models.TerminatePreemptionAction(type="TERMINATE", is_preserve_boot_volume=False)
    )
    placement = models.NodePoolPlacementConfigDetails(
        availability_domain=account.AVAILABILITY_DOMAINS[0],
        subnet_id=place.subnet,
        preemptible_node_config=preemptible,
    )
    pool = a_pool(oracle, place, cluster, placements=[placement])
    (before,) = nodes(oracle, pool)
    inject(oracle, "spot-reclaim", node=before.private_ip)
    until("the pool has another node", lambda: _others(oracle, pool, before.id))
    assert (before.private_ip, 4.0, True) in oracle.kubes[0].removed


def test_a_silent_kubelet_is_heard_again_when_the_fault_is_over(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    (node,) = nodes(oracle, a_pool(oracle, place, cluster))
    injection = oracle.injection()
    injection.inject("not-ready", {"node": f"oke-right-sized/{node.private_ip}", "for_s": 30}, None)
    injection.join(30)
    assert oracle.kubes[0].events == [("silenced", node.private_ip), ("heard", node.private_ip)]


@pytest.mark.usefixtures("cluster")
def test_the_api_server_of_each_cluster_is_restarted(oracle: Oracle) -> None:
    injection = oracle.injection()
    assert injection.inject("apiserver-restart", {}, None).struck == 1
    injection.join(30)
    assert oracle.kubes[0].events == [("restarted", "API server")]


@pytest.mark.parametrize(
    ("kind", "arguments", "reasons"),
    [
        (
            "stockout",
            {"shape": "VM.Standard.A1.Flux", "zone": "AD-9", "for_s": -1},
            [
                "stockout: SHAPE 'VM.Standard.A1.Flux' is not in the catalog of oke; close: VM.Standard.A1.Flex, ",
                "stockout: --zone 'AD-9' is not one of US-ASHBURN-AD-1, US-ASHBURN-AD-2, US-ASHBURN-AD-3",
                "stockout: --for -1 must be seconds, 0 or more",
            ],
        ),
        (
            "api-error",
            {"service": "storage", "rate": 1.5, "for_s": 1},
            [
                "api-error: service 'storage' is not one of container, compute, network, identity",
                "api-error: RATE 1.5 must be between 0 and 1: the share of requests",
            ],
        ),
        ("quota", {"shape": A1, "limit": -2}, ["quota: N -2 must be 0 or more"]),
        ("never-join", {"count": 0}, ["never-join: N 0 must be 1 or more"]),
        ("stale-list", {"behind_s": float("nan")}, ["stale-list: S nan must be seconds"]),
    ],
)
def test_everything_that_is_wrong_is_said_at_once(
    oracle: Oracle, kind: str, arguments: dict[str, Any], reasons: list[str]
) -> None:
    with pytest.raises(Refused) as refusal:
        inject(oracle, kind, **arguments)
    said = refusal.value.reasons
    assert [text.startswith(start) for text, start in zip(said, reasons, strict=True)] == [True] * len(
        reasons
    )
    assert refusal.value.is_usage
    assert oracle.injection().holding() == ()


def test_a_node_has_to_be_there_and_one_that_is_reclaimed_has_to_be_spot(
    oracle: Oracle, place: Ground, cluster: str
) -> None:
    (node,) = nodes(oracle, a_pool(oracle, place, cluster))
    with pytest.raises(
        Refused, match=f"vanish: node '10.0.1.9' is in no cluster; there are: .*{node.private_ip}"
    ):
        inject(oracle, "vanish", node="10.0.1.9")
    with pytest.raises(Refused, match="is no spot node"):
        inject(oracle, "spot-reclaim", node=node.private_ip)
    with pytest.raises(Refused, match="clear: no fault 'fault-7'; there are: none"):
        oracle.injection().clear("fault-7")


def test_every_kind_of_the_command_is_a_fault() -> None:
    assert [kinds.name_of(kind(**_any(kind))) for kind in kinds.KINDS.values()] == list(kinds.KINDS)


def _any(kind: Any) -> dict[str, Any]:
    return dict.fromkeys(kind.__dataclass_fields__, 0)


def _others(oracle: Oracle, pool: str, before: str) -> list[Any]:
    return [each for each in nodes(oracle, pool) if each.id != before and each.lifecycle_state == "ACTIVE"]
