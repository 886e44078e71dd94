"""What the GKE driver orders, and what it makes of refusals: on Google's APIs in memory."""

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.cloud import container_v1 as gke

from catalog.loader import bundled
from provisioner.core.market import Catalog
from provisioner.core.model import Taint
from provisioner.core.pools import Pool, PoolSpec
from provisioner.drivers import gke_pool, made_by
from provisioner.drivers.contract import Denied, DriverError, Gone, NoCapacity, Retry, Trouble
from provisioner.drivers.gke import GkeDriver, remove_pools_of_cluster, site_of
from provisioner.drivers.gke_client import classify, translated
from tests.support.google import BUSY, SITE, Google, put, refused

CATALOG = Catalog(bundled("gke"), "gke", "documented")
SETTINGS = "0a1b2c3d"
OURS = Taint("rightsize.io/role", "inference", "NoSchedule")
ARM = PoolSpec(
    "t2a-standard-1",
    0,
    Decimal(4),
    "us-central1-a",
    "on-demand",
    (("karpenter.sh/capacity-type", "on-demand"), ("rightsize.io/role", "inference")),
    (OURS,),
)
T4 = PoolSpec("n1-standard-2+t4x1", 0, Decimal("7.5"), "us-central1-b", "spot", (), (OURS,))
STOCKOUT = ("ZONE_RESOURCE_POOL_EXHAUSTED", "The zone does not have enough resources available")


def driver(google: Google, **options: Any) -> GkeDriver:
    return GkeDriver(google.clients, SITE, CATALOG, **{"sleep": lambda _: None, **options})


def only(pools: tuple[Pool, ...]) -> Pool:
    (pool,) = pools
    return pool


def with_machines(google: Google, spec: PoolSpec = ARM, count: int = 1) -> tuple[GkeDriver, Pool]:
    made = driver(google)
    made.launch(spec, count, "need")
    google.settle()
    return made, only(made.pools())


def ordered(spec: PoolSpec) -> gke.NodePool:
    return gke_pool.creation(spec, 2, SITE, CATALOG)


class TestWhatIsOrdered:
    def test_a_pool_in_one_zone_of_the_machines_that_were_decided(self) -> None:
        pool = ordered(ARM)
        assert (pool.config.machine_type, pool.initial_node_count) == ("t2a-standard-1", 2)
        assert list(pool.locations) == ["us-central1-a"]
        assert pool.config.image_type == "COS_CONTAINERD"
        assert (pool.config.disk_size_gb, pool.config.disk_type) == (50, "pd-balanced")

    def test_arm_nodes_without_the_taint_of_their_architecture(self) -> None:
        behaviour = gke.TaintConfig.ArchitectureTaintBehavior
        assert ordered(ARM).config.taint_config.architecture_taint_behavior == behaviour.NONE

    def test_gpus_with_their_driver_and_taint(self) -> None:
        config = ordered(T4).config
        (gpu,) = config.accelerators
        assert (gpu.accelerator_type, gpu.accelerator_count) == ("nvidia-tesla-t4", 1)
        assert gpu.gpu_driver_installation_config.gpu_driver_version.name == "DEFAULT"
        assert {taint.key for taint in config.taints} == {
            "nvidia.com/gpu",
            "rightsize.io/role",
            "rightsize.io/starting",
        }
        assert config.machine_type == "n1-standard-2"
        assert config.spot

    def test_nodes_with_an_identity_of_their_own_and_no_key_to_the_machines(self) -> None:
        config = ordered(ARM).config
        assert config.service_account == SITE.node_service_account
        assert config.workload_metadata_config.mode.name == "GKE_METADATA"
        assert config.shielded_instance_config.enable_secure_boot
        assert config.metadata == {"disable-legacy-endpoints": "true"}
        assert list(config.tags) == ["nodes"]

    @pytest.mark.parametrize(
        ("shape", "disk"),
        [
            ("c4a-standard-1", "hyperdisk-balanced"),
            ("n4a-standard-1", "hyperdisk-balanced"),
            ("e2-medium", "pd-balanced"),
        ],
    )
    def test_the_disk_that_the_series_takes(self, shape: str, disk: str) -> None:
        spec = replace(ARM, shape=shape)
        assert ordered(spec).config.disk_type == disk
        site = replace(SITE, boot_disk_type="pd-ssd")
        assert gke_pool.creation(spec, 1, site, CATALOG).config.disk_type == "pd-ssd"

    def test_images_that_are_streamed_where_the_site_says_so(self) -> None:
        assert not ordered(ARM).config.gcfs_config.enabled
        site = replace(SITE, image_streaming=True)
        assert gke_pool.creation(ARM, 1, site, CATALOG).config.gcfs_config.enabled

    @pytest.mark.parametrize("spec", [ARM, T4, replace(T4, taints=(gke_pool._GPU, OURS))])
    def test_an_identity_is_read_back_from_what_was_ordered(self, spec: PoolSpec) -> None:
        assert gke_pool.spec_of(ordered(spec)) == spec

    def test_an_identity_without_the_labels_and_taints_of_the_cloud(self) -> None:
        pool = ordered(T4)
        pool.config.labels["cloud.google.com/gke-accelerator"] = "nvidia-tesla-t4"
        assert gke_pool.spec_of(pool) == T4

    @pytest.mark.parametrize("spec", [ARM, T4, replace(ARM, shape="c4a-standard-72", capacity_type="spot")])
    def test_a_name_that_the_cloud_takes(self, spec: PoolSpec) -> None:
        name = gke_pool.name_of(spec, SETTINGS)
        assert len(name) <= 40
        assert name.replace("-", "").isalnum()
        assert name == name.lower()
        assert name.endswith(made_by.identity(spec, SETTINGS))

    def test_labels_that_the_cloud_takes(self) -> None:
        for value in gke_pool.resource_labels(T4, SITE.cluster, SETTINGS).values():
            assert len(value) <= 63
            assert value.replace("-", "").isalnum()
            assert value == value.lower()

    @pytest.mark.parametrize(
        ("spec", "said"),
        [
            (replace(ARM, shape="t2a-standard-3"), "not in the catalog"),
            (replace(ARM, zone="us-central1-f"), "us-central1-a, us-central1-b: correct zones"),
        ],
    )
    def test_nothing_that_cannot_be_had_here(self, spec: PoolSpec, said: str) -> None:
        with pytest.raises(Denied, match=said):
            ordered(spec)


class TestOneOperationAtATime:
    def test_the_next_order_waits_for_the_last(self) -> None:
        google = Google(polls=3)
        slept: list[float] = []
        made = driver(google, sleep=slept.append)
        made.launch(ARM, 1, "need")
        made.launch(T4, 1, "other need")
        assert set(google.pools) == {ordered(ARM).name, ordered(T4).name}
        assert slept == sorted(slept)
        assert len(slept) == 3

    def test_but_not_for_ever(self) -> None:
        google = Google(polls=1000)
        made = driver(google)
        made.launch(ARM, 1, "need")
        with pytest.raises(Retry, match="op-1 on rs-t2a-standard-1-a-"):
            made.launch(T4, 1, "other need")
        assert len(google.pools) == 1

    def test_one_that_takes_long_is_waited_for_once(self) -> None:
        google = Google(polls=1000)
        slept: list[float] = []
        made = driver(google, sleep=slept.append)
        made.launch(ARM, 1, "need")
        for _ in range(3):
            with pytest.raises(Retry):
                made.launch(T4, 1, "other need")
        assert sum(slept) == 7.5
        google.settle()
        made.launch(T4, 1, "other need")
        assert len(google.pools) == 2

    def test_somebody_elses_operation_is_a_reason_to_try_later(self) -> None:
        google = Google(errors=deque([BUSY]))
        with pytest.raises(Retry, match="CLUSTER_ALREADY_HAS_OPERATION"):
            driver(google).launch(ARM, 1, "need")

    def test_a_machine_is_not_deleted_while_its_pool_grows(self) -> None:
        google = Google(polls=1000)
        made, pool = with_machines(google, count=2)
        made.launch(ARM, 1, "need")
        with pytest.raises(Retry):
            made.terminate(pool, pool.instances[0].id)
        google.settle()
        made.terminate(pool, pool.instances[0].id)
        assert google.groups[pool.name].target == 2

    def test_a_machine_is_deleted_while_another_pool_is_made(self) -> None:
        google = Google(polls=1000)
        made, pool = with_machines(google)
        made.launch(T4, 1, "need")
        made.terminate(pool, pool.instances[0].id)
        assert len(google.deleted) == 1


class TestRepeating:
    @pytest.mark.parametrize("count", [1, 3])
    def test_a_creation_whose_reply_was_lost_buys_once(self, count: int) -> None:
        google = Google(errors=deque([refused(exceptions.ServiceUnavailable, "lost")]), loses_reply=True)
        made = driver(google)
        for _ in range(2):
            with pytest.raises(Retry):
                made.launch(ARM, count, "need")
        google.settle()
        assert only(made.pools()).size == count

    def test_growth_whose_reply_was_lost_grows_once(self) -> None:
        google = Google()
        made, pool = with_machines(google)
        google.errors, google.loses_reply = deque([refused(exceptions.GatewayTimeout, "lost")]), True
        with pytest.raises(Retry):
            made.launch(ARM, 2, "need")
        with contextlib.suppress(Retry):
            made.launch(ARM, 2, "need")
        google.settle()
        assert (only(made.pools()).size, only(made.pools()).id) == (3, pool.id)

    def test_what_grows_is_in_the_answer_before_the_cloud_shows_it(self) -> None:
        google = Google(polls=1000)
        made, pool = with_machines(google)
        made.launch(ARM, 2, "need")
        assert (only(made.pools()).size, google.groups[pool.name].target) == (3, 1)

    def test_a_pool_may_grow_twice_between_two_looks(self) -> None:
        google = Google()
        made, _ = with_machines(google)
        made.launch(ARM, 1, "need")
        made.launch(ARM, 1, "other need")
        google.settle()
        assert only(made.pools()).size == 3

    def test_a_pool_that_is_being_deleted_does_not_grow(self) -> None:
        google = Google(polls=1000)
        made, pool = with_machines(google)
        made.delete(pool)
        assert made.pools() == ()
        other = driver(google)
        with pytest.raises(Retry, match="stopping"):
            other.launch(ARM, 1, "need")
        with pytest.raises(Gone):
            other.delete(pool)

    def test_somebody_elses_pool_of_that_name_is_left_alone(self) -> None:
        google = Google()
        made, pool = with_machines(google)
        google.pools[pool.name].config.resource_labels.clear()
        assert made.pools() == ()
        with pytest.raises(Denied, match="not ours"):
            made.launch(ARM, 1, "need")
        assert google.sizes == []

    def test_a_machine_is_chosen_and_its_pool_never_shrunk_by_size(self) -> None:
        google = Google()
        made, pool = with_machines(google, count=3)
        victim = pool.instances[1].id
        made.terminate(pool, victim)
        assert google.deleted == [victim.rpartition("/")[2]]
        assert google.sizes == []


class TestWhatDoesNotCome:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (STOCKOUT, NoCapacity),
            (("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "t2a-standard-1 is not available"), NoCapacity),
            (("QUOTA_EXCEEDED", "Quota 'T2A_CPUS' exceeded. Limit: 8.0 in region us-central1."), NoCapacity),
            (("IP_SPACE_EXHAUSTED", "IP space of the subnetwork is exhausted"), NoCapacity),
            (("PERMISSIONS_ERROR", "Required permission is missing"), Denied),
        ],
    )
    def test_what_a_machine_says_is_the_failure(
        self, error: tuple[str, str], kind: type[DriverError]
    ) -> None:
        google = Google(sold_out={"t2a-standard-1": error})
        made, pool = with_machines(google, count=2)
        assert (pool.size, pool.missing, pool.instances) == (2, 2, ())
        (failure,) = made.failures()
        assert type(failure.error) is kind
        assert error[0] in str(failure.error)

    def test_it_is_taken_back_without_the_clusters_lock(self) -> None:
        google = Google(sold_out={"t2a-standard-1": STOCKOUT})
        made, pool = with_machines(google, count=2)
        made.withdraw(pool)
        assert (len(google.deleted), google.groups[pool.name].target, google.sizes) == (2, 0, [])
        assert only(made.pools()).missing == 0
        assert made.failures() == ()

    def test_machines_that_came_stay(self) -> None:
        google = Google()
        made, pool = with_machines(google)
        google.sold_out["t2a-standard-1"] = STOCKOUT
        made.launch(ARM, 2, "need")
        google.settle()
        grown = only(made.pools())
        assert (grown.size, grown.missing) == (3, 2)
        made.withdraw(grown)
        now = only(made.pools())
        assert (now.size, now.instances) == (1, pool.instances)

    def test_a_size_without_machines_is_set_back(self) -> None:
        google = Google()
        made, pool = with_machines(google)
        google.groups[pool.name].target = 4
        made.withdraw(pool)
        google.settle()
        assert google.sizes == [(pool.name, 1)]

    def test_what_a_pool_says_of_itself_is_the_failure(self) -> None:
        google = Google(polls=1000)
        made = driver(google)
        made.launch(T4, 1, "need")
        pool = google.pools[ordered(T4).name]
        put(pool, status="ERROR")
        code = gke.StatusCondition.Code.GCE_STOCKOUT
        pool.conditions = [gke.StatusCondition(code=code, message="no T4 in the zone")]
        made.pools()
        (failure,) = made.failures()
        assert isinstance(failure.error, NoCapacity)
        assert "no T4 in the zone" in str(failure.error)

    def test_a_pool_that_came_to_nothing_is_deleted(self) -> None:
        google = Google()
        made, pool = with_machines(google)
        google.groups.clear()
        put(google.pools[pool.name], status="ERROR")
        made.withdraw(pool)
        google.settle()
        assert google.pools == {}

    def test_an_operation_that_made_nothing_is_a_failure_until_it_is_withdrawn(self) -> None:
        google = Google(makes_nothing="Insufficient regional quota to satisfy request: T2A_CPUS")
        made = driver(google)
        made.launch(ARM, 2, "need")
        for _ in range(3):
            made.pools()
        (failure,) = made.failures()
        assert isinstance(failure.error, NoCapacity)
        made.withdraw(failure.pool)
        assert (made.pools(), made.failures()) == ((), ())

    def test_an_order_that_is_never_listed_is_forgotten(self) -> None:
        now = [0.0]
        google = Google()
        made = driver(google, clock=lambda: now[0])
        made.launch(ARM, 1, "need")
        google.settle()
        google.pools.clear()
        assert len(made.pools()) == 1
        now[0] = 121.0
        assert made.pools() == ()


@pytest.mark.parametrize(
    ("status", "message", "about_existing", "kind"),
    [
        (
            400,
            "CLUSTER_ALREADY_HAS_OPERATION (400): Cluster is running incompatible operation o.",
            True,
            Retry,
        ),
        (400, "ZONE_RESOURCE_POOL_EXHAUSTED (400): …", True, NoCapacity),
        (403, "(403): Insufficient regional quota to satisfy request: resource T2A_CPUS", True, NoCapacity),
        (429, "RATE_LIMIT_EXCEEDED (429): Quota exceeded for quota metric 'Read requests'", True, Trouble),
        (403, "rateLimitExceeded (403): Quota exceeded: queries per minute", True, Trouble),
        (429, "QUOTA_EXCEEDED (429): Quota 'NVIDIA_T4_GPUS' exceeded", True, NoCapacity),
        (429, "(429): slow down", True, Trouble),
        (403, "IAM_PERMISSION_DENIED (403): Required container.clusters.update", True, Denied),
        (401, "(401): no token", True, Denied),
        (404, "(404): Not found: nodePools/x", True, Gone),
        (404, "(404): Not found: serviceAccounts/x", False, Denied),
        (409, "(409): Already exists", False, Retry),
        (412, "(412): fingerprint", True, Retry),
        (501, "(501): not implemented", True, Retry),
        (503, "(503): try again", True, Trouble),
        (0, "no answer", True, Trouble),
        (400, "(400): Invalid value", True, Denied),
    ],
)
def test_every_answer_says_what_happens_next(
    status: int, message: str, about_existing: bool, kind: type[DriverError]
) -> None:
    assert type(classify(status, message, about_existing=about_existing)) is kind


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (partial(exceptions.Forbidden, "no"), Denied),
        (partial(exceptions.RetryError, "gave up", OSError("x")), Retry),
        (partial(RefreshError, "not bound yet"), Retry),
        (partial(TransportError, "no metadata server"), Retry),
        (partial(DefaultCredentialsError, "none"), Denied),
        (partial(requests.exceptions.ConnectionError, "refused"), Trouble),
        (partial(requests.exceptions.ReadTimeout, "no answer in time"), Trouble),
        (partial(ValueError, "malformed"), Denied),
        (lambda: BUSY, Retry),
    ],
)
def test_every_error_of_the_libraries_is_one_of_ours(
    raised: Callable[[], Exception], kind: type[DriverError]
) -> None:
    with pytest.raises(kind), translated(about_existing=True):
        raise raised()


class TestRemovingAll:
    @pytest.fixture
    def google(self, monkeypatch: pytest.MonkeyPatch) -> Google:
        google = Google()
        monkeypatch.setattr("provisioner.drivers.gke.clients", lambda *_: google.clients)
        return google

    def test_every_pool_that_was_bought_goes_one_after_the_other(
        self, google: Google, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = driver(google)
        made.launch(ARM, 1, "need")
        made.launch(T4, 1, "other need")
        google.settle()
        google.pools["management"] = gke.NodePool(name="management")
        monkeypatch.setattr("provisioner.drivers.removal.time.sleep", lambda _: google.settle())
        assert remove_pools_of_cluster(SITE.parent, None) == tuple(
            sorted([ordered(ARM).name, ordered(T4).name])
        )
        assert list(google.pools) == ["management"]

    @pytest.mark.usefixtures("google")
    def test_a_cluster_that_is_gone_has_nothing_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone(_google: Google, **_: object) -> None:
            raise refused(exceptions.NotFound, "Not found: projects/p/locations/l/clusters/c.")

        monkeypatch.setattr(Google, "list_node_pools", gone)
        assert remove_pools_of_cluster(SITE.parent, None) == ()

    def test_pools_that_stay_are_a_refusal_with_the_reason(self, google: Google) -> None:
        google.polls = 1000
        driver(google).launch(ARM, 1, "need")
        with pytest.raises(Denied, match=r"still there after -1 s: .*incompatible operation"):
            remove_pools_of_cluster(SITE.parent, None, wait_s=-1, pause_s=0)

    def test_an_id_of_another_form_is_refused(self) -> None:
        with pytest.raises(Denied, match="expected projects/P/locations/L/clusters/C"):
            site_of("ocid1.cluster.oc1..c")


def test_a_boot_disk_leaves_what_eviction_and_system_do_not_take() -> None:
    assert [round(gke_pool.ephemeral_storage_bytes(gib) / 2**30, 1) for gib in (20, 50, 100, 500)] == [
        8.0,
        21.5,
        49.0,
        350.0,
    ]
