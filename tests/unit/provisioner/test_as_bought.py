"""Young nodes count as their machines are, older ones as they show themselves."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from provisioner.core.as_bought import as_bought
from provisioner.core.decide import decide
from provisioner.core.model import NodeTerm, Owner, Pod, Requirement
from provisioner.core.policy import MODES, OPTIMAL, Policy
from provisioner.core.pools import Instance, Pool, PoolSpec
from provisioner.core.resources import Resources
from provisioner.core.snapshot import Snapshot
from tests.support.provision import ANY_ARCH, NOW, bought, catalog, node, offering, pod

POLICY = Policy(mode=OPTIMAL)
LATER = NOW + timedelta(seconds=POLICY.registration_s)
MARKET = catalog(
    offering("small", "1", vcpus=2, memory_gib=Decimal(8)),
    offering("gpu", "5", vcpus=4, memory_gib=Decimal(16), gpus=1),
)
every_mode = pytest.mark.parametrize("mode", MODES)


def seen(shape: str, allocatable: Resources, *pods: Pod) -> Snapshot:
    there = node("n", allocatable=allocatable)
    spec = PoolSpec(shape, 0, Decimal(4), "z1", "on-demand")
    return Snapshot(pods, (there,), (Pool("p", "p", spec, 1, (Instance(there.provider_id),)),))


def daemon(cpu: str, **changes: Any) -> Pod:
    only_there = (NodeTerm(fields=(Requirement("metadata.name", "In", ("n",)),)),)
    return pod("d", cpu, "0", owner=Owner("DaemonSet", "d", "d"), node_affinity=only_there, **changes)


def counted(snapshot: Snapshot) -> Resources:
    return as_bought(snapshot, MARKET, POLICY, NOW).nodes[0].allocatable


PROMISED = Resources(2000, 8 * 2**30, 0, 110)


def test_what_is_there_before_its_daemons_are_is_not_counted_on() -> None:
    more = replace(PROMISED, cpu_millicores=2300, pods=112)
    assert counted(seen("small", more)) == PROMISED
    assert counted(seen("small", more, daemon("300m"))) == PROMISED
    assert counted(seen("small", more, daemon("300m", node_name="n"))) == replace(more, pods=111)


def test_a_node_that_leaves_less_than_promised_is_what_it_is() -> None:
    less = replace(PROMISED, cpu_millicores=1500)
    assert counted(seen("small", less)) == less


def test_an_older_node_is_what_it_shows() -> None:
    more = replace(PROMISED, cpu_millicores=2300)
    assert as_bought(seen("small", more), MARKET, POLICY, LATER).nodes[0].allocatable == more


@every_mode
def test_no_second_machine_is_bought_while_the_gpu_of_the_first_is_not_reported(mode: str) -> None:
    without = seen("gpu", Resources(4000, 16 * 2**30, 0, 110), pod("p", gpus=1))
    policy = replace(ANY_ARCH, mode=mode)
    assert bought(decide(without, MARKET, policy, NOW, lambda: False)) == {}
    assert bought(decide(without, MARKET, policy, LATER, lambda: False)) == {"gpu": 1}


def test_a_node_is_not_ready_before_its_gpu_is() -> None:
    (without,) = as_bought(seen("gpu", Resources(4000, 16 * 2**30, 0, 110)), MARKET, POLICY, NOW).nodes
    assert (without.is_ready, without.allocatable.gpus) == (False, 1)
    (whole,) = as_bought(seen("gpu", Resources(4000, 16 * 2**30, 1, 110)), MARKET, POLICY, NOW).nodes
    assert whole.is_ready


@every_mode
def test_a_pod_does_not_get_the_room_of_a_daemon_that_is_on_its_way(mode: str) -> None:
    """The daemon is made for the node already, and bound a moment later."""
    policy = replace(ANY_ARCH, mode=mode)
    both = seen("small", PROMISED, daemon("300m"), pod("p", "1800m"))
    plan = decide(both, MARKET, policy, NOW, lambda: False)
    assert [each.node for each in plan.existing] == []
