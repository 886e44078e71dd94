"""Luna's bin-selection: each pod gets the cheapest machine that holds it.

For one pod: minimise the price over offerings o, sizes s of o and zones z, subject to the pod's
requests fitting what s leaves to pods, and to labels, taints, other pods and stock allowing it.
Every filter is a stage; where a stage leaves nothing, that stage is the reason for the refusal.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby

from catalog.names import DOMAIN
from catalog.offering import SPOT, Offering
from provisioner.core.market import Catalog, Size, Stockout, cheapest_size
from provisioner.core.model import ARCH, CAPACITY_TYPE, HOSTNAME, Pod
from provisioner.core.plan import PlannedNode, Reason, RunnerUp
from provisioner.core.policy import Policy
from provisioner.core.pools import Place, PoolSpec
from provisioner.core.site import Site, why_not_ports, why_not_there
from provisioner.core.too_large import why_no_size
from provisioner.core.wishes import Wishes

NEW_NODE = "(new node)"
"""Stands for the name that a node to be bought does not have yet; selects nothing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one purchase is decided by, beside the pod."""

    catalog: Catalog
    policy: Policy
    stockouts: tuple[Stockout, ...]
    in_use: tuple[PoolSpec, ...]
    """Sizes that are bought already, or about to be: the last resort where no new one may be added."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A machine in a zone, with the identity of the pool it would be in."""

    size: Size
    spec: PoolSpec

    @property
    def order(self) -> tuple[object, ...]:
        """Price, then shape, then zone."""
        return (
            self.size.price_per_hour,
            self.size.offering.shape,
            self.spec.zone,
            self.size.offering.capacity_type,
        )


def choose(
    pod: Pod, site: Site, terms: Terms, may_buy: Callable[[Candidate], Reason | None]
) -> PlannedNode | Reason:
    """The cheapest node for a pod, with its runner-up; or why there is none.

    `may_buy` is asked for limits that depend on what else is bought.
    """
    wishes = Wishes.of(pod)
    if isinstance(wishes, Reason):
        return wishes
    offerings = _allowed(pod, wishes, terms)
    if isinstance(offerings, Reason):
        return offerings
    found = sorted(_candidates(pod, offerings, terms), key=lambda candidate: candidate.order)
    if not found:
        return _too_large(pod, offerings, terms)
    too_dear = wishes.why_too_dear(found[0].size)
    if too_dear is not None:
        return too_dear
    within = [each for each in found if wishes.why_too_dear(each.size) is None]
    preferred = terms.policy.preferred_architecture
    if preferred:
        within.sort(key=lambda candidate: candidate.size.offering.arch != preferred)
    return _first_that_may(pod, within, site, terms, may_buy)


def _allowed(pod: Pod, wishes: Wishes, terms: Terms) -> Sequence[Offering] | Reason:
    """Offerings that policy, architecture, annotations, capacity type, selectors and taints leave."""
    policy = terms.policy
    families = [o for o in terms.catalog.offerings if o.available and in_family(o, policy)]
    if not families:
        wanted = f" of the families {', '.join(policy.families)}" if policy.families else ""
        return Reason("no-offering", f"the catalog offers nothing{wanted}")
    arch = [o for o in families if o.arch in policy.architectures and _selects(pod, ARCH, o.arch)]
    if not arch:
        asked = pod.node_selector.get(ARCH, " or ".join(policy.architectures))
        offered = ", ".join(sorted({o.arch for o in families}))
        return Reason(
            "arch", f"it needs {asked}; allowed are {', '.join(policy.architectures)}, offered {offered}"
        )
    wished = wishes.of_these(arch)
    if isinstance(wished, Reason):
        return wished
    kinds = [o for o in wished if _of_allowed_capacity(pod, wishes, o, policy)]
    if not kinds:
        return Reason("no-offering", "nothing is offered in an allowed capacity type")
    return _reachable(pod, kinds, terms)


def sold_to(pod: Pod, offering: Offering, policy: Policy) -> bool:
    """Whether policy, architecture, annotations and capacity type let the pod have the offering."""
    wishes = Wishes.of(pod)
    return (
        not isinstance(wishes, Reason)
        and offering.available
        and in_family(offering, policy)
        and offering.arch in policy.architectures
        and _selects(pod, ARCH, offering.arch)
        and wishes.allow(offering)
        and _of_allowed_capacity(pod, wishes, offering, policy)
    )


def why_not_new(pod: Pod, offering: Offering, place: Place, catalog: Catalog) -> Reason | None:
    """Why nodes that are bought of the offering keep the pod away, whatever else is there; None if they do not."""
    labels = {**catalog.labels_at(offering, place), HOSTNAME: NEW_NODE}
    taints = catalog.taints(offering) + place.taints
    reason = why_not_there(pod, NEW_NODE, labels, taints)
    if reason is None and pod.host_ports:
        reason = why_not_ports(pod, catalog.own(offering, place).host_ports, "every node it could get")
    return reason


def in_family(offering: Offering, policy: Policy) -> bool:
    """Whether the policy's families, if it has any, are the offering's."""
    return not policy.families or offering.family in policy.families


def _of_allowed_capacity(pod: Pod, wishes: Wishes, offering: Offering, policy: Policy) -> bool:
    """What the pod asks for, by selector or annotation, else what the policy has; spot is had for the asking."""
    if not _selects(pod, CAPACITY_TYPE, offering.capacity_type):
        return False
    asks = CAPACITY_TYPE in pod.node_selector or wishes.capacity_types
    return offering.capacity_type in {*policy.capacity_types, *((SPOT,) if asks else ())}


def _selects(pod: Pod, key: str, value: str) -> bool:
    return pod.node_selector.get(key, value) == value


def _reachable(pod: Pod, offerings: Iterable[Offering], terms: Terms) -> Sequence[Offering] | Reason:
    """Offerings that have a zone where labels and taints let the pod in."""
    reachable: list[Offering] = []
    reasons: list[Reason] = []
    for offering in offerings:
        zones = []
        for place in _places(pod, offering, terms.policy):
            reason = why_not_new(pod, offering, place, terms.catalog)
            if reason is None:
                zones.append(place.zone)
            else:
                reasons.append(reason)
        if zones:
            reachable.append(replace(offering, zones=tuple(zones)))
    if not reachable:
        # The furthest stage that any offering reached binds: what stopped earlier would not help.
        stages = ("selector", "affinity", "taint", "port")
        return max(reasons, key=lambda reason: stages.index(reason.code))
    return reachable


def labels_for(pod: Pod, offering: Offering, policy: Policy) -> dict[str, str]:
    """Labels that we put on a node bought for a pod.

    The policy's come last: a pod cannot make itself a node that the policy labels otherwise.
    """
    return {**asked_labels(pod), **policy.node_labels, CAPACITY_TYPE: offering.capacity_type}


def asked_labels(pod: Pod) -> dict[str, str]:
    """Labels of our own domain that the pod selects: whatever node it gets is given them."""
    return {key: value for key, value in pod.node_selector.items() if _is_ours(key)}


def _is_ours(key: str) -> bool:
    domain = key.partition("/")[0]
    return "/" in key and (domain == DOMAIN or domain.endswith(f".{DOMAIN}"))


def _places(pod: Pod, offering: Offering, policy: Policy) -> Iterator[Place]:
    """Where nodes of the offering could be bought for the pod."""
    labels = tuple(sorted(labels_for(pod, offering, policy).items()))
    return (Place(zone, labels, policy.node_taints) for zone in offering.zones or ("",))


def _candidates(pod: Pod, offerings: Iterable[Offering], terms: Terms) -> Iterator[Candidate]:
    for offering in offerings:
        in_use = [spec for spec in terms.in_use if _is_of(spec, offering)]
        # Mostly alike in all zones: the search is the same.
        alike = groupby(_places(pod, offering, terms.policy), partial(terms.catalog.lost, offering))
        for lost, places in alike:
            size = cheapest_size(terms.catalog, offering, lost, pod.requests)
            if size is None:
                continue
            for place in places:
                yield Candidate(size, size.pool_at(place))
                there = (spec for spec in in_use if spec.place == place)
                yield from _in_use(pod, offering, there, size, terms.catalog)


def _is_of(spec: PoolSpec, offering: Offering) -> bool:
    return (spec.shape, spec.capacity_type) == (offering.shape, offering.capacity_type)


def _in_use(
    pod: Pod, offering: Offering, specs: Iterable[PoolSpec], cheapest: Size, catalog: Catalog
) -> Iterator[Candidate]:
    """Larger sizes of the offering that are in use in that place and hold the pod as well."""
    for spec in specs:
        if (spec.ocpus, spec.memory_gib) == (cheapest.ocpus, cheapest.memory_gib):
            continue
        size = catalog.size_at(offering, spec.place, spec.ocpus, int(spec.memory_gib) if spec.ocpus else 0)
        if pod.requests.fits(size.usable):
            yield Candidate(size, spec)


def _too_large(pod: Pod, offerings: Sequence[Offering], terms: Terms) -> Reason:
    places = ((each, place) for each in offerings for place in _places(pod, each, terms.policy))
    return why_no_size(pod.requests, places, terms.catalog)


def _first_that_may(
    pod: Pod,
    found: Sequence[Candidate],
    site: Site,
    terms: Terms,
    may_buy: Callable[[Candidate], Reason | None],
) -> PlannedNode | Reason:
    passed_over: list[tuple[Candidate, Reason]] = []
    for index, candidate in enumerate(found):
        labels = {
            **terms.catalog.labels_at(candidate.size.offering, candidate.spec.place),
            HOSTNAME: NEW_NODE,
        }
        reason = (
            site.why_not_beside(pod, labels)
            or out_of_stock(candidate.size.offering, candidate.spec.zone, terms, str(candidate.size))
            or may_buy(candidate)
        )
        if reason is None:
            size = replace(candidate.size, zone=candidate.spec.zone)
            other = _runner_up(candidate, found[index + 1 :], passed_over)
            return PlannedNode(size, candidate.spec, (pod,), other)
        passed_over.append((candidate, reason))
    return passed_over[0][1]


def out_of_stock(offering: Offering, zone: str, terms: Terms, name: str = "") -> Reason | None:
    """Whether the offering could not be had in the zone lately; `name` is what to call it."""
    for out in terms.stockouts:
        same = (out.shape, out.zone, out.capacity_type) == (offering.shape, zone, offering.capacity_type)
        if same and terms.now < out.until:
            return Reason(
                "no-offering",
                f"{name or offering.shape} could not be had in {zone or 'its region'} "
                f"({out.message or 'no capacity'}); tried again after {out.until:%H:%M:%S}",
            )
    return None


def _runner_up(
    chosen: Candidate, dearer: Sequence[Candidate], passed_over: Sequence[tuple[Candidate, Reason]]
) -> RunnerUp | None:
    """What nearly was bought: a better one that could not be, else the next shape by price."""
    for candidate, reason in passed_over:
        return RunnerUp(candidate.size, reason.text)
    for candidate in dearer:
        if candidate.size.offering.shape == chosen.size.offering.shape:
            continue
        return RunnerUp(candidate.size, _why_not(candidate.size, chosen.size))
    return None


def _why_not(other: Size, chosen: Size) -> str:
    more = other.price_per_hour - chosen.price_per_hour
    if more > 0:
        return f"costs ${more:f} an hour more"
    if other.offering.arch != chosen.offering.arch and more < 0:
        return f"costs ${-more:f} an hour less, but {chosen.offering.arch} is preferred"
    return "costs the same and comes later by name"
