"""The mode `bin-select`: room that is there first, then for each pod its own cheapest node."""

from dataclasses import replace

from provisioner.core.clump import place_clumps
from provisioner.core.model import Pod
from provisioner.core.plan import Reason, Unplaced
from provisioner.core.situation import Outcome, Situation, buy, chosen, settle


def select(situation: Situation) -> Outcome:
    """Places for all pods, or the reason why one has none."""
    outcome = Outcome()
    left = place_clumps(situation, outcome)
    for pod in settle(replace(situation, pods=left), outcome):
        _buy(pod, situation, outcome)
    return outcome


def _buy(pod: Pod, situation: Situation, outcome: Outcome) -> None:
    found = chosen(pod, situation)
    if isinstance(found, Reason):
        outcome.refused.append(Unplaced(pod, (found,)))
    else:
        buy(found, situation, outcome)
