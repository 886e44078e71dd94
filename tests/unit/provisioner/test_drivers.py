"""Every driver keeps the contract: the same tests on the fake and on each cloud's driver."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from circuitbreaker import CircuitBreaker, CircuitBreakerError

from catalog.loader import bundled
from emulator.cloud.faults import Injected
from emulator.injection import Injection
from emulator.oci import account
from provisioner.core.market import Catalog
from provisioner.core.model import Taint
from provisioner.core.pools import Pool, PoolSpec
from provisioner.drivers import again, oke_client
from provisioner.drivers.again import Again
from provisioner.drivers.contract import Denied, Driver, DriverError, Gone, NoCapacity, Retry, Trouble
from provisioner.drivers.fake import FakeDriver
from provisioner.drivers.gke import GkeDriver
from provisioner.drivers.gke_client import Clients
from provisioner.drivers.gke_pool import GkeSite
from provisioner.drivers.oke import OkeDriver
from provisioner.drivers.oke_pool import OkeSite
from tests.support.google import SITE, Google
from tests.support.google_cloud import a_cluster, running_google
from tests.support.oracle import VERSION, Oracle, cluster_details, ground, image, running_oracle
from tests.support.provision import OKE
from tests.support.until import until

GKE = Catalog(bundled("gke"), "gke", "documented")
LABELS = (("karpenter.sh/capacity-type", "on-demand"), ("rightsize.io/role", "inference"))
TAINTS = (Taint("rightsize.io/role", "inference", "NoSchedule"),)
AT_ONCE = Again(sleep=lambda _: None)


@dataclass(frozen=True)
class Wares:
    """What a cloud sells: an Arm machine, labelled and tainted, and a GPU machine for less."""

    arm: PoolSpec
    gpu: PoolSpec


ORACLES = Wares(
    PoolSpec("VM.Standard.A1.Flex", 1, Decimal(6), "US-ASHBURN-AD-1", "on-demand", LABELS, TAINTS),
    PoolSpec("VM.GPU2.1", 0, Decimal(72), "US-ASHBURN-AD-2", "spot"),
)
GOOGLES = Wares(
    PoolSpec("t2a-standard-2", 0, Decimal(8), "us-central1-a", "on-demand", LABELS, TAINTS),
    PoolSpec("n1-standard-2+t4x1", 0, Decimal("7.5"), "us-central1-b", "spot"),
)


@dataclass
class Bench:
    """A driver, how to make another of the same cluster, and how to let its cloud catch up."""

    wares: Wares
    driver: Driver
    again: Callable[[], Driver]
    otherwise: Callable[[], Driver]
    """Another one, after the disks of new nodes were made larger."""
    settle: Callable[[], Any]
    injection: Callable[[], Injection] | None = None
    """How to make its cloud go wrong, where it is an emulated one."""


@contextlib.contextmanager
def in_memory(_home: Path) -> Iterator[Bench]:
    fake = FakeDriver()

    def otherwise() -> Driver:
        fake.change_settings()
        return fake

    yield Bench(ORACLES, fake, lambda: fake, otherwise, fake.boot)


@contextlib.contextmanager
def at_oracle(home: Path) -> Iterator[Bench]:
    with running_oracle(home) as oracle:
        site = site_of(oracle)

        def again(site: OkeSite = site) -> Driver:
            return OkeDriver(oracle.engine(), site, OKE, again=AT_ONCE)

        def settle() -> None:
            oracle.world.work.join(10)

        larger = replace(site, boot_volume_gib=100)
        yield Bench(ORACLES, again(), again, lambda: again(larger), settle, oracle.injection)


@contextlib.contextmanager
def at_google(_home: Path) -> Iterator[Bench]:
    google = Google()

    def again(site: GkeSite = SITE) -> Driver:
        return GkeDriver(google.clients, site, GKE, sleep=lambda _: None)

    larger = replace(SITE, boot_disk_gib=100)
    yield Bench(GOOGLES, again(), again, lambda: again(larger), google.settle)


@contextlib.contextmanager
def at_emulated_google(home: Path) -> Iterator[Bench]:
    """By the real SDK over HTTP; its clock stands still, so nobody has to wait."""
    with running_google(home) as google:
        cluster = a_cluster(google, "us-central1", name=SITE.cluster, locations=list(SITE.zones))
        google.succeeded(google.engine().delete_node_pool(name=f"{cluster}/nodePools/default-pool"))
        nodes = google.call(
            "POST", f"/v1/projects/{SITE.project}/serviceAccounts", {"accountId": "the-nodes"}
        )
        site = replace(SITE, location="us-central1", node_service_account=nodes["email"])

        def again(site: GkeSite = site) -> Driver:
            return GkeDriver(Clients(google.engine(), google.groups()), site, GKE, sleep=lambda _: None)

        larger = replace(site, boot_disk_gib=100)
        yield Bench(GOOGLES, again(), again, lambda: again(larger), google.settle, google.injection)


BENCHES = {"fake": in_memory, "oke": at_oracle, "gke": at_google, "gke-http": at_emulated_google}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with BENCHES[request.param](tmp_path) as made:
        yield made


def site_of(oracle: Oracle) -> OkeSite:
    place = ground(oracle)
    cluster = oracle.succeeded(oracle.engine().create_cluster(cluster_details(place)))
    return OkeSite(
        cluster_id=cluster,
        compartment_id=account.COMPARTMENT,
        kubernetes_version=VERSION,
        node_images={"arm64": image(oracle), "amd64": image(oracle, ""), "amd64-gpu": image(oracle, "GPU")},
        availability_domains=account.AVAILABILITY_DOMAINS,
        worker_subnet_id=place.subnet,
        worker_nsg_ids=(place.group,),
        pod_subnet_ids=(place.pods,),
    )


def only(pools: tuple[Pool, ...]) -> Pool:
    (pool,) = pools
    return pool


def settled(bench: Bench, machines: int) -> Pool:
    """The one pool, when it has so many machines and nothing is on its way."""

    def ask() -> Pool | None:
        bench.settle()
        pools = bench.driver.pools()
        if len(pools) == 1 and len(pools[0].instances) == pools[0].size == machines:
            return pools[0]
        return None

    pool = until(f"{machines} machines are there", ask)
    assert pool is not None
    return pool


def test_a_cluster_has_no_pools_at_first(bench: Bench) -> None:
    assert bench.driver.pools() == ()


def test_what_was_launched_is_on_its_way_at_once(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 2, "need")
    pool = only(bench.driver.pools())
    assert (pool.spec, pool.size) == (bench.wares.arm, 2)


def test_machines_come(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 2, "need")
    pool = settled(bench, 2)
    assert pool.missing == 0
    assert len({instance.id for instance in pool.instances}) == 2


@pytest.mark.parametrize("ware", ["arm", "gpu"])
def test_a_new_driver_reads_the_identity_back(bench: Bench, ware: str) -> None:
    spec: PoolSpec = getattr(bench.wares, ware)
    bench.driver.launch(spec, 1, "need")
    settled(bench, 1)
    assert only(bench.again().pools()).spec == spec


def test_a_pool_of_the_same_identity_grows(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    first = settled(bench, 1)
    bench.driver.launch(bench.wares.arm, 2, "more need")
    assert only(bench.driver.pools()).size == 3
    assert settled(bench, 3).id == first.id


def test_another_identity_is_another_pool(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    bench.driver.launch(bench.wares.gpu, 1, "other need")
    assert {pool.spec for pool in bench.driver.pools()} == {bench.wares.arm, bench.wares.gpu}


def test_the_same_launch_again_buys_nothing_more(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    with contextlib.suppress(Retry):
        bench.again().launch(bench.wares.arm, 1, "need")
    settled(bench, 1)
    assert only(bench.again().pools()).size == 1


def test_a_pool_that_is_not_as_it_was_seen_does_not_grow(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    settled(bench, 1)
    other = bench.again()
    other.pools()
    other.launch(bench.wares.arm, 1, "the other's need")
    with contextlib.suppress(Retry):
        bench.driver.launch(bench.wares.arm, 1, "the other's need")
    assert settled(bench, 2).size == 2


def test_a_machine_is_given_back_without_a_replacement(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 2, "need")
    pool = settled(bench, 2)
    victim, other = pool.instances
    bench.driver.terminate(pool, victim.id)
    now = only(bench.driver.pools())
    assert now.missing == 0
    assert [each.id for each in now.instances if not each.is_leaving] == [other.id]
    assert [each.id for each in settled(bench, 1).instances] == [other.id]


def test_a_machine_that_is_gone_is_gone(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 2, "need")
    pool = settled(bench, 2)
    bench.driver.terminate(pool, pool.instances[0].id)
    settled(bench, 1)
    with pytest.raises(Gone):
        bench.driver.terminate(pool, pool.instances[0].id)


def test_an_emptied_pool_stays_and_is_used_again(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    pool = settled(bench, 1)
    bench.driver.terminate(pool, pool.instances[0].id)
    assert settled(bench, 0).id == pool.id
    bench.driver.launch(bench.wares.arm, 1, "need")
    assert settled(bench, 1).id == pool.id


def test_a_deleted_pool_is_gone(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    pool = settled(bench, 1)
    bench.driver.delete(pool)
    until("the pool is gone", lambda: bench.settle() or not bench.driver.pools())
    with pytest.raises(Gone):
        bench.driver.delete(pool)


def test_nothing_failed_when_nothing_failed(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    settled(bench, 1)
    assert bench.driver.failures() == ()


def test_a_pool_is_as_of_today_until_settings_change(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    assert not settled(bench, 1).is_outdated
    bench.driver = bench.again()
    assert not settled(bench, 1).is_outdated
    bench.driver = bench.otherwise()
    assert settled(bench, 1).is_outdated


def test_a_pool_made_by_other_settings_is_not_grown_but_another_made_beside_it(bench: Bench) -> None:
    bench.driver.launch(bench.wares.arm, 1, "need")
    old = settled(bench, 1)
    bench.driver = bench.otherwise()
    bench.driver.pools()
    bench.driver.launch(bench.wares.arm, 2, "other need")

    def both() -> bool:
        bench.settle()
        return sorted(len(each.instances) for each in bench.driver.pools()) == [1, 2]

    until("both pools have their machines", both)
    first, second = sorted(bench.driver.pools(), key=lambda pool: pool.size)
    assert (first.id, first.is_outdated, first.size) == (old.id, True, 1)
    assert (second.spec, second.is_outdated, second.size) == (old.spec, False, 2)


def test_other_settings_are_no_other_identity(bench: Bench) -> None:
    bench.driver.launch(bench.wares.gpu, 1, "need")
    before = settled(bench, 1)
    bench.driver = bench.otherwise()
    assert replace(settled(bench, 1), is_outdated=False) == before


EMULATED = pytest.mark.parametrize("bench", ["oke", "gke-http"], indirect=True)


@contextlib.contextmanager
def trouble(bench: Bench, kind: str, **arguments: Any) -> Iterator[Injected]:
    """The cloud goes wrong for a while."""
    assert bench.injection is not None
    yield bench.injection().inject(kind, {"for_s": 1e6, **arguments}, None)
    bench.injection().clear(None)


@EMULATED
def test_a_cloud_in_trouble_is_asked_a_few_times_a_round(bench: Bench) -> None:
    with (
        trouble(bench, "api-error", service="container", rate=1) as fault,
        pytest.raises(Trouble, match=r"\(50\d|429\)"),
    ):
        bench.driver.pools()
    assert fault.struck == again.TRIES


@EMULATED
@pytest.mark.parametrize("service", ["container", "compute"])
def test_a_round_outlives_that_every_third_call_fails(bench: Bench, service: str) -> None:
    with trouble(bench, "api-error", service=service, rate=0.3):
        bench.driver.launch(bench.wares.arm, 1, "need")
        settled(bench, 1)
        bench.driver.launch(bench.wares.arm, 2, "more need")
        settled(bench, 3)


@EMULATED
def test_an_order_is_made_once_whichever_of_its_replies_is_lost(bench: Bench) -> None:
    with trouble(bench, "lost-reply", rate=1), pytest.raises(Retry):
        bench.driver.launch(bench.wares.arm, 1, "need")
    settled(bench, 1)
    with trouble(bench, "lost-reply", rate=1), pytest.raises(Retry):
        bench.driver.launch(bench.wares.arm, 2, "more need")
    settled(bench, 3)


def test_the_sdks_open_circuit_is_tried_again_later() -> None:
    with pytest.raises(Retry, match="busy too often"), oke_client.translated(about_existing=True):
        raise CircuitBreakerError(CircuitBreaker(name="container-engine"))


@pytest.mark.parametrize(
    ("status", "code", "message", "about_existing", "kind"),
    [
        (500, "InternalError", "Out of host capacity.", True, NoCapacity),
        (400, "LimitExceeded", "standard-a1-core-count", False, NoCapacity),
        (400, "QuotaExceeded", "standard-a1-core-count", False, NoCapacity),
        (404, "NotAuthorizedOrNotFound", "node pool", True, Gone),
        (404, "NotAuthorizedOrNotFound", "subnet", False, Denied),
        (400, "InvalidParameter", "shape", True, Denied),
        (401, "NotAuthenticated", "the token", True, Denied),
        (409, "IncorrectState", "the pool is UPDATING", True, Retry),
        (412, "NoEtagMatch", "if-match", True, Retry),
        (501, "MethodNotImplemented", "no", True, Retry),
        (429, "TooManyRequests", "slow down", True, Trouble),
        *((status, "InternalServerError", "try again", True, Trouble) for status in (500, 502, 503, 504)),
        (-1, "None", "no answer", True, Trouble),
    ],
)
def test_every_answer_of_the_container_engine_says_what_happens_next(
    status: int,
    code: str,
    message: str,
    about_existing: bool,
    kind: type[DriverError],
) -> None:
    assert type(oke_client.classify(status, code, message, about_existing=about_existing)) is kind
