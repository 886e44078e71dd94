"""What OKE's driver does beyond the contract that all drivers keep; through the real SDK."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from emulator.oci import account, http
from provisioner.core.pools import PoolSpec
from provisioner.drivers.again import Again
from provisioner.drivers.contract import NoCapacity, Retry
from provisioner.drivers.oke import OkeDriver
from provisioner.drivers.oke_pool import OkeSite
from tests.support.oracle import VERSION, Oracle, cluster_details, ground, image, running_oracle
from tests.support.provision import OKE

A1 = PoolSpec("VM.Standard.A1.Flex", 1, Decimal(6), "US-ASHBURN-AD-1", "on-demand")


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[Oracle]:
    with running_oracle(tmp_path) as oracle:
        yield oracle


@pytest.fixture
def driver(oracle: Oracle) -> OkeDriver:
    place = ground(oracle)
    site = OkeSite(
        cluster_id=oracle.succeeded(oracle.engine().create_cluster(cluster_details(place))),
        compartment_id=account.COMPARTMENT,
        kubernetes_version=VERSION,
        node_images={"arm64": image(oracle)},
        availability_domains=account.AVAILABILITY_DOMAINS,
        worker_subnet_id=place.subnet,
        pod_subnet_ids=(place.pods,),
    )
    return OkeDriver(oracle.engine(), site, OKE, again=Again(sleep=lambda _: None))


def test_every_page_of_pools_is_read(
    oracle: Oracle, driver: OkeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        driver.launch(replace(A1, ocpus=number), 1, f"token-{number}")
    oracle.world.work.join(10)
    monkeypatch.setattr(http, "_MOST_PER_PAGE", 1)
    assert sorted(pool.spec.ocpus for pool in driver.pools()) == [1, 2, 3]


def test_an_order_whose_reply_was_lost_is_found_in_the_next_list(oracle: Oracle, driver: OkeDriver) -> None:
    oracle.injection().inject("lost-reply", {"rate": 1, "for_s": 1e6}, None)
    with pytest.raises(Retry):
        driver.launch(A1, 2, "token")
    oracle.injection().clear(None)
    oracle.world.work.join(10)
    (pool,) = driver.pools()
    assert (pool.size, len(pool.instances)) == (2, 2)


def test_a_stockout_is_a_lack_of_capacity_until_it_is_withdrawn(oracle: Oracle, driver: OkeDriver) -> None:
    arguments = {"shape": A1.shape, "zone": None, "for_s": 1e6}
    oracle.injection().inject("stockout", arguments, None)
    driver.launch(A1, 1, "token")
    oracle.world.work.join(10)
    driver.pools()
    (failure,) = driver.failures()
    assert isinstance(failure.error, NoCapacity)
    driver.withdraw(failure.pool)
    oracle.world.work.join(10)
    assert [pool.size for pool in driver.pools()] == [0]
    assert driver.failures() == ()
