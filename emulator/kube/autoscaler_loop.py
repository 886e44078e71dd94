"""Runs the emulated Cluster Autoscaler: observe, decide, apply, every scan interval."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Final

from emulator.kube import drain
from emulator.kube.api import Api, ApiError
from emulator.kube.autoscaler import (
    CANDIDATE_TAINT,
    DELETED_TAINT,
    Action,
    Budget,
    Grow,
    Mark,
    Remove,
    Situation,
    Unmark,
    candidate_taint,
    decide,
    deleted_taint,
    upcoming,
)
from emulator.kube.cache import Cache
from emulator.kube.guard import survives
from emulator.kube.objects import Node, Pod, Resources, parse_requirements
from emulator.kube.spec import (
    AutoscalerSettings,
    CloudBusy,
    CloudHooks,
    CloudRefused,
    ScalablePool,
    Taint,
)

_EVICTION_S: Final = 120.0
"""The real one's `max-pod-eviction-time`: a drain that takes longer has failed."""
_BACK_OFF_S: Final = 300.0
"""The real one's first back-off for a pool that did not grow."""
_log = logging.getLogger(__name__)


class Autoscaler:
    """The add-on, from its installation to its removal or new settings."""

    def __init__(
        self,
        api: Api,
        pods: Cache[Pod],
        nodes: Cache[Node],
        hooks: CloudHooks,
        settings: AutoscalerSettings,
        overhead: Mapping[bool, Resources],
    ) -> None:
        self._api = api
        self._pods = pods
        self._nodes = nodes
        self._hooks = hooks
        self._settings = settings
        self._overhead = overhead
        self._grown_at: float | None = None
        self._refused_at: dict[str, float] = {}
        self._launching_since: dict[str, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cluster autoscaler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a node that is being drained is not given back any more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped.is_set():
            survives("autoscaler", self._scan_if_reachable)
            self._stopped.wait(self._settings.scan_interval_s)

    def _scan_if_reachable(self) -> None:
        try:
            self._scan(time.time())
        except ApiError as fault:
            _log.debug("autoscaler: %s", fault)

    def _scan(self, now: float) -> None:
        pools = list(self._hooks.scalable_pools())
        nodes = list(self._nodes.items().values())
        situation = Situation(
            pods=list(self._pods.items().values()),
            nodes=nodes,
            pools=pools,
            budgets=self._budgets(pools),
            overhead=self._overhead,
            grown_at=self._grown_at,
            backed_off=frozenset(
                pool for pool, since in self._refused_at.items() if now - since < _BACK_OFF_S
            ),
            stalled=self._stalled(pools, nodes, now),
        )
        for action in decide(situation, self._settings, now):
            self._apply(action, now)

    def _stalled(self, pools: list[ScalablePool], nodes: list[Node], now: float) -> frozenset[str]:
        launching = {pool.id for pool in pools if upcoming(pool, nodes)}
        self._launching_since = {pool: self._launching_since.get(pool, now) for pool in launching}
        late_s = self._settings.max_node_provision_s
        return frozenset(pool for pool, since in self._launching_since.items() if now - since > late_s)

    def _budgets(self, pools: list[ScalablePool]) -> list[Budget]:
        if not any(pool.size for pool in pools):
            return []
        answer = self._api.get("/apis/policy/v1/poddisruptionbudgets")
        return [
            Budget(
                namespace=item["metadata"]["namespace"],
                selector=parse_requirements(item["spec"].get("selector") or {}),
                allowed=(item.get("status") or {}).get("disruptionsAllowed", 0),
            )
            for item in answer["items"]
        ]

    def _apply(self, action: Action, now: float) -> None:
        _log.info("autoscaler: %s", action)
        match action:
            case Grow(pool_id, by):
                try:
                    self._hooks.grow_pool(pool_id, by)
                    self._grown_at = now
                except CloudBusy as fault:
                    _log.info("autoscaler: pool %s is grown later: %s", pool_id, fault)
                except CloudRefused as fault:
                    self._refused_at[pool_id] = now
                    _log.warning("autoscaler: pool %s not grown by %d: %s", pool_id, by, fault)
            case Mark(node):
                self._taint(node, candidate_taint(now))
            case Unmark(node):
                self._untaint(node, CANDIDATE_TAINT)
            case Remove(pool_id, node):
                # Marked in this thread, so that the next scan knows; drained beside it.
                self._taint(node, deleted_taint(now))
                threading.Thread(
                    target=self._remove, args=[pool_id, node], name=f"drain {node}", daemon=True
                ).start()

    def _remove(self, pool_id: str, node: str) -> None:
        try:
            drain.drain_or_refuse(self._api, node, _EVICTION_S)
            if not self._stopped.is_set():
                self._hooks.delete_node(pool_id, node)
                return
        except (CloudRefused, drain.DrainRefused) as fault:
            _log.warning("autoscaler: node %s stays: %s", node, fault)
        except ApiError as fault:
            _log.debug("autoscaler: node %s: %s", node, fault)
        for key in (DELETED_TAINT, CANDIDATE_TAINT):
            try:
                self._untaint(node, key)
            except ApiError as fault:
                _log.debug("autoscaler: taint of %s: %s", node, fault)

    def _taint(self, node: str, taint: Taint) -> None:
        row = {"key": taint.key, "value": taint.value, "effect": taint.effect}
        self._change_taints(node, add=row, drop=taint.key)

    def _untaint(self, node: str, key: str) -> None:
        self._change_taints(node, add=None, drop=key)

    def _change_taints(self, node: str, *, add: dict[str, str] | None, drop: str) -> None:
        """Replace the taint of one key; the version makes the API server refuse when others were faster."""
        path = f"/api/v1/nodes/{node}"
        while not self._stopped.is_set():
            try:
                item = self._api.get(path)
                taints = [row for row in item["spec"].get("taints", []) if row["key"] != drop]
                taints += [add] if add is not None else []
                version = item["metadata"]["resourceVersion"]
                self._api.patch(path, {"metadata": {"resourceVersion": version}, "spec": {"taints": taints}})
            except ApiError as fault:
                if fault.conflict:
                    continue
                if fault.not_found:
                    return
                raise
            return
