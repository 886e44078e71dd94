"""The emulated service limits, asked by the real SDK."""

from typing import Any

import oci
import pytest

from emulator.oci import account
from tests.support.oracle import Ground, Oracle, pool_details

AD_1, AD_2 = account.AVAILABILITY_DOMAINS[:2]


def room(oracle: Oracle, limit: str, domain: str = AD_1) -> Any:
    client = oracle._client(oci.limits.LimitsClient)
    return client.get_resource_availability(
        "compute", limit, account.COMPARTMENT, availability_domain=domain
    ).data


def test_a_fresh_account_has_everything_left(oracle: Oracle) -> None:
    for limit in ("standard-a1-core-count", "standard-a1-memory-count", "gpu2-count"):
        found = room(oracle, limit)
        assert (found.used, found.available) == (0, account.SERVICE_LIMIT)
        assert found.effective_quota_value == account.SERVICE_LIMIT


def test_machines_count_where_they_are(oracle: Oracle, place: Ground, cluster: str) -> None:
    details = pool_details(oracle, place, cluster, size=2)
    oracle.succeeded(oracle.engine().create_node_pool(details))
    assert room(oracle, "standard-a1-core-count").used == 2 * details.node_shape_config.ocpus
    assert room(oracle, "standard-a1-core-count").available == account.SERVICE_LIMIT - 4
    assert room(oracle, "standard-a1-memory-count").used == 2 * details.node_shape_config.memory_in_gbs
    assert room(oracle, "standard-a1-core-count", AD_2).used == 0
    assert room(oracle, "gpu2-count").used == 0


def test_machines_that_are_gone_count_no_more(oracle: Oracle, place: Ground, cluster: str) -> None:
    pool = oracle.succeeded(oracle.engine().create_node_pool(pool_details(oracle, place, cluster)))
    assert room(oracle, "standard-a1-core-count").used == 2
    oracle.finished(oracle.engine().delete_node_pool(pool))
    assert room(oracle, "standard-a1-core-count").used == 0


@pytest.mark.parametrize(("limit", "domain"), [("standard-z9-core-count", AD_2), ("gpu2-count", "AD-9")])
def test_what_there_is_not_is_refused(oracle: Oracle, limit: str, domain: str) -> None:
    with pytest.raises(oci.exceptions.ServiceError) as caught:
        room(oracle, limit, domain)
    assert caught.value.status in {400, 404}
