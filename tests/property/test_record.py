"""Any decision, of any mode and after any number of rounds, is the same when it is replayed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.names import REMOVABLE_SINCE_KEY
from provisioner.core.decide import decide
from provisioner.core.market import Stockout
from provisioner.core.model import Budget, Owner
from provisioner.core.owned import pools_of
from provisioner.core.policy import MODES
from provisioner.core.snapshot import Snapshot
from provisioner.record import Counted, Decision, budget_of, dump, load
from provisioner.report import document
from tests.property.test_optimal_plans import MARKET, OPEN, clusters, snapshot_of
from tests.support.packing import rounds
from tests.support.provision import NOW, node

OURS = {"rightsize.io/role": "inference", "node.kubernetes.io/instance-type": "arm"}


def running(snapshot: Snapshot, marked_s: int, *, is_out: bool) -> Snapshot:
    """The same with nodes of ours, some marked and some with pods that may move, and what is out of stock."""
    since = {REMOVABLE_SINCE_KEY: (NOW - timedelta(seconds=marked_s)).isoformat()}
    nodes = (
        *(replace(each, labels={**each.labels, **OURS}) for each in snapshot.nodes),
        node("idle", labels=OURS, annotations=since),
    )
    pods = tuple(
        replace(each, owner=Owner("ReplicaSet", "web", "web"), is_ready=True) if each.node_name else each
        for each in snapshot.pods
    )
    out = (Stockout("arm", "z1", "on-demand", NOW + timedelta(seconds=5), "full"),) if is_out else ()
    return Snapshot(pods, nodes, pools_of(nodes, MARKET, OPEN), out, (Budget("default", "b", (), 1),))


@settings(max_examples=150, deadline=None)
@given(clusters, st.sampled_from(MODES), st.integers(0, 5), st.sampled_from([0, 400]), st.booleans())
def test_a_replay_is_the_decision(
    cluster: tuple[list[dict[str, Any]], int], mode: str, allowed: int, marked_s: int, is_out: bool
) -> None:
    snapshot = running(snapshot_of(*cluster), marked_s, is_out=is_out)
    policy = replace(OPEN, mode=mode, repack=True)

    def decided(told: Decision, budget: Callable[[], bool]) -> Any:
        return decide(told.snapshot, told.catalog, told.policy, told.now, budget)

    counted = Counted(rounds(allowed))
    first = decided(Decision(snapshot, MARKET, policy, NOW, 0), counted)
    told, _ = load(dump(Decision(snapshot, MARKET, policy, NOW, counted.rounds), first), "record")
    again = decided(told, budget_of(told.rounds))
    assert again == first
    assert document(again, 0) == document(first, 0)
