"""Questions to the packing kernel, and what an answer must be whatever the kernel does."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import cache
from itertools import product

from provisioner.core.optimal.answer import Answer
from provisioner.core.optimal.problem import Fixed, Flexible, Group, Machine, Problem, Room, Size

GIB = 2**30
Load = tuple[int, ...]


def group(  # noqa: PLR0917
    cpu: int,
    gib: float,
    count: int = 1,
    gpus: int = 0,
    classes: Iterable[int] = (0,),
    most: int | None = None,
    apart: Iterable[int] = (),
) -> Group:
    return Group((cpu, int(gib * GIB), gpus, 1), count, frozenset(classes), most, frozenset(apart))


def fixed(cpu: int, gib: float, price: str, gpus: int = 0, pods: int = 110, klass: int = 0) -> Fixed:
    return Fixed(klass, (cpu, int(gib * GIB), gpus, pods), Decimal(price))


def flexible(
    most: int = 4,
    per_ocpu: str = "0.01",
    per_gib: str = "0.0015",
    klass: int = 0,
    gib_per_ocpu: int = 8,
    *,
    per_node: str = "0",
) -> Flexible:
    ocpus = tuple(range(1, most + 1))
    return Flexible(
        klass,
        ocpus,
        tuple((ocpu * 1000, 0, 0, 110) for ocpu in ocpus),
        tuple(gib * GIB for gib in range(most * gib_per_ocpu + 1)),
        tuple((ocpu, ocpu * gib_per_ocpu) for ocpu in ocpus),
        Decimal(per_ocpu),
        Decimal(per_gib),
        Decimal(per_node),
    )


def room(cpu: int, gib: float, gpus: int = 0, klass: int = 0) -> Room:
    return Room(klass, (cpu, int(gib * GIB), gpus, 110))


def problem(groups: Iterable[Group], machines: Iterable[Machine], *rooms: Room, **more: object) -> Problem:
    return Problem(tuple(groups), tuple(machines), rooms, **more)  # type: ignore[arg-type]


def rounds(count: int) -> Callable[[], bool]:
    """A budget of so many rounds."""
    left = iter(range(count))
    return lambda: next(left, None) is not None


def every_size(machines: tuple[Machine, ...]) -> Iterator[Size]:
    for at, machine in enumerate(machines):
        if isinstance(machine, Fixed):
            yield Size(at)
            continue
        for ocpu, (least, most) in zip(machine.ocpus, machine.gib, strict=True):
            yield from (Size(at, ocpu, gib) for gib in range(least, most + 1))


def may_share(
    question: Problem, load: Iterable[tuple[int, int]], klass: int, usable: tuple[int, ...]
) -> bool:
    """Whether a place of that class with those amounts may hold the load."""
    on = dict(load)
    used = [sum(question.groups[at].demand[r] * pods for at, pods in on.items()) for r in range(len(usable))]
    return (
        all(amount <= there for amount, there in zip(used, usable, strict=True))
        and all(klass in question.groups[at].classes for at in on)
        and all(pods <= (question.groups[at].most_per_node or pods) for at, pods in on.items())
        and not any(set(question.groups[at].apart) & set(on) for at in on)
    )


def assert_sound(question: Problem, answer: Answer) -> None:
    """Nothing lost, nothing twice, everything where it may be, money added up, sizes few enough."""
    placed: Counter[int] = Counter()
    for load in (*(node.pods for node in answer.nodes), *answer.rooms, answer.unplaced):
        assert all(pods > 0 for _, pods in load)
        placed.update(dict(load))
    assert placed == Counter({at: each.count for at, each in enumerate(question.groups) if each.count})
    for node in answer.nodes:
        klass = question.machines[node.size.machine].klass
        assert node.pods
        assert may_share(question, node.pods, klass, question.usable_of(node.size))
        assert node.price == question.price_of(node.size)
    assert len(answer.rooms) == len(question.rooms)
    for load, there in zip(answer.rooms, question.rooms, strict=True):
        assert may_share(question, load, there.klass, there.usable)
    sizes = {node.size for node in answer.nodes} | question.standing
    assert len(sizes) <= max(question.max_pools, len(question.standing))
    assert answer.price == sum((node.price for node in answer.nodes), Decimal(0))
    assert 0 <= answer.bound <= answer.price


def cheapest(question: Problem) -> Decimal | None:
    """The price of the cheapest set by trying everything; None where not all pods can be placed."""
    counts = tuple(each.count for each in question.groups)
    loads = [load for load in product(*(range(count + 1) for count in counts)) if any(load)]
    prices = {load: price for load in loads if (price := _price(question, load)) is not None}

    @cache
    def bought(left: Load) -> Decimal | None:
        if not any(left):
            return Decimal(0)
        first = next(at for at, pods in enumerate(left) if pods)
        options = [
            price + rest
            for load, price in prices.items()
            if load[first] and _within(load, left) and (rest := bought(_less(left, load))) is not None
        ]
        return min(options, default=None)

    @cache
    def housed(at: int, left: Load) -> Decimal | None:
        if at == len(question.rooms):
            return bought(left)
        there = question.rooms[at]
        fitting = [
            load
            for load in loads
            if _within(load, left) and may_share(question, _pairs(load), there.klass, there.usable)
        ]
        options = [housed(at + 1, left), *(housed(at + 1, _less(left, load)) for load in fitting)]
        return min((price for price in options if price is not None), default=None)

    return housed(0, counts)


def _price(question: Problem, load: Load) -> Decimal | None:
    return min(
        (
            question.price_of(size)
            for size in every_size(question.machines)
            if may_share(
                question, _pairs(load), question.machines[size.machine].klass, question.usable_of(size)
            )
        ),
        default=None,
    )


def _pairs(load: Load) -> list[tuple[int, int]]:
    return [(at, pods) for at, pods in enumerate(load) if pods]


def _within(load: Load, left: Load) -> bool:
    return all(pods <= there for pods, there in zip(load, left, strict=True))


def _less(left: Load, load: Load) -> Load:
    return tuple(there - pods for pods, there in zip(load, left, strict=True))
