"""The mode `bin-select`: room that is there first, then for each pod its own cheapest node."""

from provisioner.core.bin_select import choose
from provisioner.core.model import Pod
from provisioner.core.plan import Reason, Unplaced
from provisioner.core.situation import Outcome, Situation, new_room, room_for, unbuyable


def select(situation: Situation) -> Outcome:
    """Places for all pods, or the reason why one has none."""
    outcome = Outcome()
    left: list[Pod] = []
    for pod in situation.pods:
        room = room_for(pod, situation)
        if room is None:
            left.append(pod)
        else:
            situation.site.put(pod, room)
            outcome.place([pod], room.name)
    for pod in left:
        _buy(pod, situation, outcome)
    return outcome


def _buy(pod: Pod, situation: Situation, outcome: Outcome) -> None:
    found = unbuyable(pod, situation) or choose(pod, situation.site, situation.terms, situation.cart.why_not)
    if isinstance(found, Reason):
        outcome.refused.append(Unplaced(pod, (found,)))
        return
    outcome.bought.append(found)
    situation.cart.add(found)
    situation.site.open(new_room(found, situation.terms.catalog, len(outcome.bought)))
