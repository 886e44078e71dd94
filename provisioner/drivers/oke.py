"""OKE: one managed node pool for each size, zone, capacity type, labels and taints.

Growing a pool is an update of its size under its etag, so an update made on old knowledge is
refused and a lost reply is seen in the next list. Making one carries a retry token, so the same
order is carried out once. Both may therefore be asked again when the cloud is in trouble; what is deleted
is asked for once a round. What the lists do not show yet is added from what was ordered here.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from catalog.names import CLUSTER_TAG
from provisioner.core.market import Catalog
from provisioner.core.pools import Pool, PoolSpec
from provisioner.drivers import oke_pool
from provisioner.drivers.again import Again
from provisioner.drivers.contract import Denied, DriverError, Failure, Gone, NoCapacity, Retry
from provisioner.drivers.oke_client import Credentials, call, client, is_about_capacity
from provisioner.drivers.oke_pool import OkeSite
from provisioner.drivers.removal import Leftover, Patience, remove_all

_MEMORY_S: Final = 120.0
"""How long an order is believed although the cloud's lists do not show it."""
_ENDED: Final = ("DELETED", "DELETING")
_FAILED: Final = ("FAILED", "CANCELED")


@dataclass(slots=True)
class _Order:
    """A pool that was ordered and may not be listed yet."""

    spec: PoolSpec
    size: int
    work_id: str
    at: float


class OkeDriver:
    """Keeps the contract of `provisioner.drivers.contract` on the container engine's API."""

    def __init__(
        self,
        api: Any,
        site: OkeSite,
        catalog: Catalog,
        *,
        clock: Callable[[], float] = time.monotonic,
        again: Again | None = None,
    ) -> None:
        self._api = api
        self._site = site
        self._catalog = catalog
        self._clock = clock
        self._again = again or Again()
        self._orders: dict[str, _Order] = {}
        self._sizes: dict[str, tuple[int, float]] = {}
        self._leaving: dict[str, float] = {}
        self._work: dict[str, str] = {}
        self._failures: dict[str, Failure] = {}
        self._seen: dict[str, int] = {}
        self._spent_tokens = 0

    def pools(self) -> tuple[Pool, ...]:
        """Every pool of the cluster with our tag, and what was ordered and is not listed yet."""
        self._forget_old()
        found: dict[str, Pool] = {}
        for raw in self._listed():
            spec = oke_pool.spec_of(raw)
            if spec is None:
                continue
            pool = self._as_of_now(raw, spec)
            found[pool.id] = pool
            self._seen[pool.id] = raw.node_config_details.size
            self._orders.pop(pool.name, None)
            self._note_failure(raw, pool)
        unlisted = [
            Pool(f"ordered:{name}", name, order.spec, order.size) for name, order in self._orders.items()
        ]
        self._failures = {key: each for key, each in self._failures.items() if key in found}
        return (*found.values(), *unlisted)

    def launch(self, spec: PoolSpec, count: int, token: str) -> None:
        """Grow the pool of that identity, or order it."""
        order = oke_pool.creation(spec, count, self._site, self._catalog)
        name = order.name
        if name in self._orders:
            raise Retry(f"pool {name} is being made", 5.0)
        there = next((raw for raw in self._listed(name) if oke_pool.spec_of(raw) == spec), None)
        if there is None:
            self._create(order, spec, count, token)
        else:
            self._grow(there.id, count)

    def terminate(self, pool: Pool, instance_id: str) -> None:
        """Delete one node; the pool shrinks by it."""
        answer = call(
            self._api.delete_node,
            pool.id,
            instance_id,
            about_existing=True,
            is_decrement_size=True,
            override_eviction_grace_duration=oke_pool.GRACE,
            is_force_deletion_after_override_grace_duration=True,
        )
        self._leaving[instance_id] = self._clock()
        if pool.id in self._seen:
            self._seen[pool.id] -= 1
        self._sizes.pop(pool.id, None)
        self._watch(answer, pool.id)

    def delete(self, pool: Pool) -> None:
        """Delete a pool with its nodes."""
        _order_deletion(self._api, pool.id)
        self._sizes.pop(pool.id, None)

    def failures(self) -> tuple[Failure, ...]:
        """Pools that have asked for machines they do not get."""
        return tuple(self._failures.values())

    def withdraw(self, pool: Pool) -> None:
        """Shrink a pool to the machines that are there, and delete the broken ones."""
        raw = self._get(pool.id).data
        for node in raw.nodes or ():
            if node.id and oke_pool.is_broken(node) and node.lifecycle_state not in _ENDED:
                self.terminate(pool, node.id)
        living = sum(not each.is_leaving for each in oke_pool.instances_of(raw))
        if raw.node_config_details.size > living:
            self._resize(pool.id, living, None)
        self._sizes.pop(pool.id, None)
        self._failures.pop(pool.id, None)

    def _listed(self, name: str | None = None) -> Iterator[Any]:
        """Our pools of this cluster as the cloud shows them, with nodes and etag."""
        for listed in _ours(
            partial(self._insist, self._api.list_node_pools),
            self._site.compartment_id,
            self._site.cluster_id,
            name,
        ):
            try:
                raw = self._get(listed.id).data
            except Gone:
                continue
            if raw.lifecycle_state not in _ENDED:
                yield raw

    def _get(self, pool_id: str) -> Any:
        return self._insist(self._api.get_node_pool, pool_id, about_existing=True)

    def _insist(self, method: Callable[..., Any], *arguments: Any, about_existing: bool, **named: Any) -> Any:
        """Call what may be repeated, again while the cloud is in trouble."""
        return self._again(partial(call, method, *arguments, about_existing=about_existing, **named))

    def _as_of_now(self, raw: Any, spec: PoolSpec) -> Pool:
        """A listed pool with what was ordered since."""
        listed = oke_pool.instances_of(raw)
        instances = tuple(
            replace(each, is_leaving=each.is_leaving or each.id in self._leaving) for each in listed
        )
        late = sum(
            now.is_leaving and not before.is_leaving for now, before in zip(instances, listed, strict=True)
        )
        size = max(raw.node_config_details.size - late, self._sizes.get(raw.id, (0, 0.0))[0])
        return Pool(
            raw.id,
            raw.name,
            spec,
            size,
            instances,
            version=raw.kubernetes_version or "",
            is_outdated=oke_pool.is_outdated(raw, spec, self._site, self._catalog),
        )

    def _create(self, order: Any, spec: PoolSpec, count: int, token: str) -> None:
        need = f"{self._site.cluster_id}/{order.name}/{count}/{token}/{self._spent_tokens}"
        retry_token = hashlib.sha256(need.encode()).hexdigest()[:40]
        try:
            answer = self._insist(
                self._api.create_node_pool, order, about_existing=False, opc_retry_token=retry_token
            )
        except Retry as error:
            # The token made a pool that is gone since, and will not make another.
            self._spent_tokens += "InvalidatedRetryToken" in str(error)
            raise
        work_id = answer.headers.get("opc-work-request-id", "")
        self._orders[order.name] = _Order(spec, count, work_id, self._clock())

    def _grow(self, pool_id: str, count: int) -> None:
        """Add machines to a pool that is as it was when their number was decided."""
        current = self._get(pool_id)
        size = current.data.node_config_details.size
        if size != self._seen.get(pool_id):
            seen = self._seen.get(pool_id, "nothing")
            raise Retry(f"{current.data.name} has size {size}, last seen was {seen}", 0.0)
        self._resize(pool_id, size + count, current.headers.get("etag"))
        self._sizes[pool_id] = (size + count, self._clock())

    def _resize(self, pool_id: str, size: int, etag: str | None) -> None:
        from oci.container_engine import models

        options = {"if_match": etag} if etag else {}
        answer = self._insist(
            self._api.update_node_pool,
            pool_id,
            models.UpdateNodePoolDetails(
                node_config_details=models.UpdateNodePoolNodeConfigDetails(size=size)
            ),
            about_existing=True,
            override_eviction_grace_duration=oke_pool.GRACE,
            **options,
        )
        self._seen[pool_id] = size
        self._watch(answer, pool_id)

    def _watch(self, answer: Any, pool_id: str) -> None:
        self._work[pool_id] = answer.headers.get("opc-work-request-id", "")

    def _note_failure(self, raw: Any, pool: Pool) -> None:
        """Keep what a pool says about machines that do not come."""
        broken = [node for node in raw.nodes or () if oke_pool.is_broken(node)]
        needs_attention = raw.lifecycle_state in {"FAILED", "NEEDS_ATTENTION"}
        if not broken and not (needs_attention and pool.missing):
            self._failures.pop(pool.id, None)
            return
        said = [node.node_error.message for node in broken if node.node_error and node.node_error.message]
        message = "; ".join(said) or self._work_errors(pool.id) or raw.lifecycle_details or "no reason given"
        self._failures[pool.id] = Failure(pool, _failure(message))
        self._sizes.pop(pool.id, None)

    def _work_errors(self, pool_id: str) -> str:
        """What the last work request on a pool says went wrong; empty when it says nothing."""
        work_id = self._work.get(pool_id)
        if not work_id:
            return ""
        try:
            errors = self._insist(
                self._api.list_work_request_errors, self._site.compartment_id, work_id, about_existing=True
            ).data
        except DriverError:
            return ""
        return "; ".join(error.message for error in errors)

    def _forget_old(self) -> None:
        now = self._clock()
        self._sizes = {key: each for key, each in self._sizes.items() if now - each[1] < _MEMORY_S}
        self._leaving = {key: at for key, at in self._leaving.items() if now - at < _MEMORY_S}
        self._orders = {name: each for name, each in self._orders.items() if self._is_believed(each, now)}

    def _is_believed(self, order: _Order, now: float) -> bool:
        """Whether an order that is not listed may still become a pool."""
        if now - order.at >= _MEMORY_S:
            return False
        if not order.work_id:
            return True
        try:
            work = self._insist(self._api.get_work_request, order.work_id, about_existing=True)
        except DriverError:
            return True
        return work.data.status not in _FAILED


def remove_pools_of_cluster(
    cluster_id: str,
    compartment_id: str,
    credentials: Credentials,
    endpoint: str = "",
    *,
    wait_s: float = 1800.0,
    pause_s: float = 1.0,
) -> tuple[str, ...]:
    """Delete every pool that was bought for a cluster, and wait until they are gone.

    Works when the provisioner is down and remembers nothing: pools are found by their tag. Returns
    the ids of the pools it deleted. Raises Denied when the cloud refuses, or when they are not gone
    after `wait_s` seconds; then it says why.
    """
    api = client(credentials, endpoint)

    def left() -> list[Leftover]:
        listed = _ours(partial(call, api.list_node_pools), compartment_id, cluster_id)
        return [Leftover(pool.id, pool.lifecycle_state == "DELETING") for pool in listed]

    return remove_all(cluster_id, left, partial(_delete_pool, api), Patience(wait_s, pause_s))


def _delete_pool(api: Any, pool_id: str) -> str:
    """Order a pool's deletion; returns why that was not possible now, or nothing."""
    try:
        _order_deletion(api, pool_id)
    except Gone:
        return ""
    except Retry as busy:
        return str(busy)
    return ""


def _order_deletion(api: Any, pool_id: str) -> None:
    call(
        api.delete_node_pool,
        pool_id,
        about_existing=True,
        override_eviction_grace_duration=oke_pool.GRACE,
        is_force_deletion_after_override_grace_duration=True,
    )


def _ours(
    ask: Callable[..., Any], compartment_id: str, cluster_id: str, name: str | None = None
) -> list[Any]:
    """Pools of a cluster that carry our tag and are not deleted, as lists show them (without nodes)."""
    options = {"cluster_id": cluster_id} | ({"name": name} if name else {})
    return [
        pool
        for pool in _pages(ask, compartment_id, **options)
        if (pool.freeform_tags or {}).get(CLUSTER_TAG) == cluster_id and pool.lifecycle_state != "DELETED"
    ]


def _pages(ask: Callable[..., Any], compartment_id: str, **options: str) -> Iterator[Any]:
    """Node pools, page by page. The SDK's own helper asks again for minutes after an error, whatever the client."""
    while True:
        answer = ask(compartment_id, about_existing=False, **options)
        yield from answer.data
        if not answer.headers.get("opc-next-page"):
            return
        options["page"] = answer.headers["opc-next-page"]


def _failure(message: str) -> DriverError:
    return NoCapacity(message) if is_about_capacity(message) else Denied(message)
