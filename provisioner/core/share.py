"""The mode `bin-pack`, Luna's bin-packing: small pods share nodes of one configured size.

Pods above a threshold, those that ask for a GPU, and those whose annotations say what node they want get
a node each as in bin-selection. Thresholds and the size are the policy's, by Luna's names. Where no machine of
that size can be had, a small pod gets the cheapest that holds it, and others share that as far as it goes.
"""

from dataclasses import replace

from provisioner.core import wishes
from provisioner.core.clump import place_clumps
from provisioner.core.model import Pod
from provisioner.core.plan import PlannedNode, Reason, Unplaced
from provisioner.core.policy import Policy
from provisioner.core.resources import Resources
from provisioner.core.site import Room
from provisioner.core.situation import Outcome, Situation, buy, chosen, join, name_of, settle
from provisioner.core.too_large import words_of


def share(situation: Situation) -> Outcome:
    """Places for all pods, or the reason why one has none."""
    outcome, policy = Outcome(), situation.terms.policy
    left = place_clumps(
        situation,
        outcome,
        lambda whole, first: (_to_share if is_small(first, policy) else chosen)(whole, situation),
    )
    shared = [
        situation.site.rooms[name_of(at)]
        for at, planned in enumerate(outcome.bought)
        if is_small(planned.pods[0], policy)
    ]
    for pod in settle(replace(situation, pods=left), outcome):
        if not _joined(pod, shared, situation, outcome):
            _buy(pod, shared, situation, outcome)
    return outcome


def is_small(pod: Pod, policy: Policy) -> bool:
    """Whether the pod shares a node."""
    asked = pod.requests
    return (
        not asked.gpus
        and not wishes.has_any(pod)
        and asked.cpu_millicores <= policy.bin_select_pod_cpu_threshold
        and asked.memory_bytes <= policy.bin_select_pod_memory_threshold
    )


def _joined(pod: Pod, shared: list[Room], situation: Situation, outcome: Outcome) -> bool:
    """Put a small pod on the first shared node of this plan that takes it."""
    if not is_small(pod, situation.terms.policy):
        return False
    for room in shared:
        if situation.site.why_not(pod, room) is None:
            join(pod, room, situation, outcome)
            return True
    return False


def _buy(pod: Pod, shared: list[Room], situation: Situation, outcome: Outcome) -> None:
    small = is_small(pod, situation.terms.policy)
    found = (_to_share if small else chosen)(pod, situation)
    if isinstance(found, Reason):
        outcome.refused.append(Unplaced(pod, (found,)))
        return
    room = buy(replace(found, pods=(pod,)), situation, outcome)
    if small:
        shared.append(room)


def _to_share(pod: Pod, situation: Situation) -> PlannedNode | Reason:
    """A node of the configured size, else the cheapest that holds the pod; or why that cannot be had either."""
    policy = situation.terms.policy
    found = chosen(_sized(pod, policy), situation)
    if not isinstance(found, Reason):
        return found
    own = chosen(pod, situation)
    return own if isinstance(own, Reason) else replace(own, instead=_unshared(policy, found))


def _unshared(policy: Policy, reason: Reason) -> str:
    """What the node is bought instead of."""
    node = _node_size(policy)
    size = ", ".join(words_of(node, name) for name in ("cpu", "memory", "pods"))
    settings = ", ".join(f"bin_packing_node_{name}" for name in ("cpu", "memory", "min_pod_count"))
    return (
        f"a node to share is to leave {size} ({settings} of the policy), and a pod that asks for so much gets none: "
        f"{reason.text}"
    )


def _sized(pod: Pod, policy: Policy) -> Pod:
    """The pod as if it asked for a whole shared node."""
    return replace(pod, requests=pod.requests.largest(_node_size(policy)))


def _node_size(policy: Policy) -> Resources:
    """What a shared node leaves to pods at least."""
    return Resources(
        policy.bin_packing_node_cpu,
        policy.bin_packing_node_memory,
        pods=policy.bin_packing_node_min_pod_count,
    )
