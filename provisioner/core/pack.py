"""The mode `optimal`: the cheapest set of nodes for all pods, where the packing kernel can tell.

Kinds of pods that the kernel cannot be told about go afterwards, one pod at a time, as the scheduler
would place them: into rooms that are there or bought by then, else each to a node of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from provisioner.core import runner_up
from provisioner.core.clump import place_clumps
from provisioner.core.fold import Folded, fold
from provisioner.core.kinds import Kind, kinds_of
from provisioner.core.model import Pod
from provisioner.core.optimal.answer import Answer
from provisioner.core.optimal.solve import solve
from provisioner.core.plan import PlannedNode, Reason, Unplaced
from provisioner.core.site import Room
from provisioner.core.situation import Outcome, Situation, buy, chosen, join, number_of, room_for
from provisioner.core.wishes import Wishes


def pack(situation: Situation) -> Outcome:
    """Places for all pods, or the reason why one has none."""
    outcome = Outcome()
    kinds = kinds_of(place_clumps(situation, outcome), situation.site)
    easy = [kind for kind in kinds if not kind.is_hard]
    hard = [kind for kind in kinds if kind.is_hard]
    left = _packed(easy, situation, outcome) if easy else []
    for kind in [*left, *hard]:
        _one_by_one(kind, situation, outcome)
    return outcome


def _packed(kinds: Sequence[Kind], situation: Situation, outcome: Outcome) -> list[Kind]:
    """Place kinds as the kernel answers; returns what it leaves out."""
    terms = situation.terms
    if situation.held:
        terms = replace(terms, catalog=replace(terms.catalog, offerings=()))
    is_alone = not outcome.bought
    folded = fold(kinds, situation.open_rooms, situation.site, terms)
    answer = solve(folded.problem, situation.go_on)
    deal = _Deal(folded)
    for room, load in zip(folded.rooms, answer.rooms, strict=True):
        for pod in deal.out(load):
            join(pod, room, situation, outcome)
    over = list(_bought(folded, answer, deal, situation, outcome))
    is_other = terms.policy.preferred_architecture or terms.policy.node_overhead_price_per_hour
    is_exact = not (is_other or any(kind.pod.spread for kind in kinds))
    if is_alone and is_exact and not over and not answer.unplaced:
        outcome.bound = answer.bound
    out = [replace(folded.kinds[at], pods=deal.some(at, pods), zone="") for at, pods in answer.unplaced]
    return [*over, *out]


def _bought(
    folded: Folded, answer: Answer, deal: "_Deal", situation: Situation, outcome: Outcome
) -> Iterator[Kind]:
    """Buy nodes as far as limits allow; yields the pods of those beyond, by kind."""
    others = runner_up.of(folded, answer.nodes, situation.terms)
    pairs = list(zip(answer.nodes, others, strict=True))
    # Where a limit ends it, those of the highest priority have been bought for.
    pairs.sort(key=lambda pair: -max(folded.kinds[at].pod.priority for at, _ in pair[0].pods))
    for node, other in pairs:
        lot = folded.lots[node.size.machine]
        size = situation.terms.catalog.size_at(lot.offering, lot.place, node.size.ocpus, node.size.gib)
        spec = size.pool_at(lot.place)
        if situation.cart.why_not_one(size, spec) is not None:
            for at, pods in node.pods:
                yield replace(folded.kinds[at], pods=deal.some(at, pods), zone="")
            continue
        buy(PlannedNode(size, spec, tuple(deal.out(node.pods)), other), situation, outcome)


def _one_by_one(kind: Kind, situation: Situation, outcome: Outcome) -> None:
    """Pods of a kind one after another; when one is refused the others are, for the same reason."""
    reason: Reason | None = None
    for pod in kind.pods:
        reason = reason or _placed(pod, situation, outcome)
        if reason is not None:
            outcome.refused.append(Unplaced(pod, (reason,)))


def _placed(pod: Pod, situation: Situation, outcome: Outcome) -> Reason | None:
    room = room_for(pod, situation, lambda room: _may_join(pod, room, outcome))
    if room is not None:
        join(pod, room, situation, outcome)
        return None
    found = chosen(pod, situation)
    if isinstance(found, Reason):
        return found
    buy(found, situation, outcome)
    return None


def _may_join(pod: Pod, room: Room, outcome: Outcome) -> bool:
    """Whether the pod's annotations let it have the node, if this plan buys it."""
    at = number_of(room.name)
    if at is None:
        return True
    size, wished = outcome.bought[at].size, Wishes.of(pod)
    return not isinstance(wished, Reason) and wished.allow(size.offering) and not wished.why_too_dear(size)


class _Deal:
    """Hands out the pods of kinds, in order."""

    def __init__(self, folded: Folded) -> None:
        self._left = [iter(kind.pods) for kind in folded.kinds]

    def some(self, kind: int, pods: int) -> tuple[Pod, ...]:
        """So many pods of a kind."""
        return tuple(next(self._left[kind]) for _ in range(pods))

    def out(self, load: Iterable[tuple[int, int]]) -> Iterator[Pod]:
        """The pods of a load."""
        for kind, pods in load:
            yield from self.some(kind, pods)
