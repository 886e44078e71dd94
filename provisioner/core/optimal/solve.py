"""The packing kernel's entry: pods and machines in, the cheapest set of nodes found out.

A first answer comes at once; each round then improves it or the bound below it, and the best so far
stands at any moment. The same question, number of rounds and seed give the same answer.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import chain, islice
from typing import Final

import numpy as np

from provisioner.core.optimal.answer import Answer, Node
from provisioner.core.optimal.best import Best
from provisioner.core.optimal.bins import Load, cost, load_of, pods_in, priced
from provisioner.core.optimal.bound import Judge
from provisioner.core.optimal.build import Built, build, learn
from provisioner.core.optimal.deal import Deal, money
from provisioner.core.optimal.exact import exact
from provisioner.core.optimal.fluid import Fluid
from provisioner.core.optimal.greedy import greedy
from provisioner.core.optimal.guide import Guides
from provisioner.core.optimal.improve import improve
from provisioner.core.optimal.patterns import Manner
from provisioner.core.optimal.problem import Problem
from provisioner.core.optimal.relax import Relaxation
from provisioner.core.optimal.rooms import occupy
from provisioner.core.optimal.shelf import Floats, Ints
from provisioner.core.optimal.sketch import Sketch
from provisioner.core.optimal.tables import Tables, buyable, tabulate
from provisioner.core.optimal.whole import Whole

_QUICK: Final = (Manner(0.5, 48, 0.25), Manner(0.5, 48, 0.08, is_wary=True))
_THOROUGH: Final = (Manner(0.25, 64, 0.25, is_wary=True), Manner(0.1, 96, 0.05), Manner(0.25, 64, 0.0))
_HASTY: Final = (Manner(0.5, 24, 0.25, few=2.0), Manner(0.5, 24, 0.08, is_wary=True, few=2.0))
"""Ways of building. With many groups a batch takes long and gaps are easily filled: fewer rows do there."""
_HASTY_GROUPS: Final = 400
"""From so many on building is hasty."""
_SOLVES: Final = 30
_POOR: Final = 1.03
"""An answer so far above the bound has sizes in it that whole pods do not fill."""
_FEW_GROUPS: Final = 40
"""Up to so many groups nodes are few as a rule, and chance counts for more."""
_MOST_LOADED: Final = 160
"""Up to so many groups, whole loads are listed as far as they are worth it."""
_MANY_GROUPS: Final = 10_000
"""From so many on, one answer built from the fluid one takes longer than there is time."""
_TRIES: Final = 2
_COMPLETED: Final = 0.5
"""The first answer that is built is completed by first-fit when so many of its pods are left; of these, and so on."""
_GAIN_SOON: Final = 1e-3
_GAIN: Final = 0.0
"""Parts of a price that count while loads are sought: first for an answer soon, then for a good one."""
_NEAR: Final = 0.006
_EXACT: Final = 1e-5
"""Parts of a price by which it may be above its bound: for an answer soon, then for a good one."""
_PATIENCE: Final = 40
"""Rounds without progress after which an answer is as good as it gets."""
_HASTE: Final = 5
"""The same for an answer soon."""
_LAST_PATIENCE: Final = 150
"""The same at the end, when nothing else is left to try."""
_PROGRESS: Final = 1e-4
"""Part of the price that counts as progress."""
_PROVEN: Final = 1e-9
_NEVER: Final = 1e9
"""Worth of a pod that must not be left out."""


def solve(problem: Problem, go_on: Callable[[], bool], seed: int = 0) -> Answer:
    """The best set of nodes found while `go_on`, asked before each round, says so."""
    tables, lost = tabulate(problem)
    search = _Search(problem, tables, np.random.default_rng(seed))
    progress = search.rounds()
    next(progress)
    rounds = 0
    while not search.is_proven and go_on() and next(progress, False):
        rounds += 1
    return _answer(problem, search, lost, rounds)


def lower_bound(problem: Problem, rounds: int) -> Decimal:
    """A price below which no set of nodes is; the more rounds, the nearer to the cheapest."""
    tables, _ = tabulate(problem)
    if not tables.size:
        return Decimal(0)
    found = exact(tables)
    if found is not None:
        return money(found[1], problem)
    relaxed = Relaxation(tables, buyable(tables))
    for _ in islice(chain(relaxed.roughly(), relaxed.finely()), rounds):
        pass
    return money(relaxed.bound, problem)


class _Search:
    """What is known so far."""

    def __init__(self, problem: Problem, tables: Tables, random: np.random.Generator) -> None:
        self.tables, self._random = tables, random
        self._buyable = buyable(tables)
        self._relaxed = Relaxation(tables, self._buyable) if tables.size else None
        self._is_of_few = tables.size <= _FEW_GROUPS
        self._guides = Guides(tables, self._buyable, is_of_few=self._is_of_few)
        self._proven = 0.0
        self._bought: Whole | None = None
        self._is_first = not self._is_of_few
        """Whether the first answer from the fluid one takes long, and is not there yet."""
        self.best = Best(problem, tables)

    @property
    def is_proven(self) -> bool:
        """Whether nothing cheaper can be."""
        price = self.best.sketch.price
        return not self.best.out.any() and price - self.bound <= _PROVEN * max(price, 1.0)

    @property
    def bound(self) -> float:
        """No set of nodes for the pods placed costs less."""
        if self._relaxed is None:
            return 0.0
        out = self.best.out
        if not out.any():
            return max(self._proven, self._relaxed.bound)
        placed = replace(self.tables, count=self.tables.count - out)
        return Judge(placed).below(self._relaxed.worth, _SOLVES)[0]

    def rounds(self) -> Iterator[bool]:
        """One step of the search at a time; after the first there is an answer. Ends when it is of no more use."""
        if self._relaxed is None:
            yield True
            return
        rooms, left = self._housed(self._relaxed)
        self.best.consider(Sketch(rooms, tuple(greedy(self.tables, left))))
        self._try_exactly()
        yield True
        yield from self._relaxed.roughly()
        self._bought = self._whole()
        yield from self._soon(self._relaxed, self._bought)
        yield from self._thoroughly(self._relaxed, self._bought)
        yield from self._improved(self._relaxed, _LAST_PATIENCE)

    def _soon(self, relaxed: Relaxation, bought: Whole | None) -> Iterator[bool]:
        """A good answer and a bound from pods that are cut; where that is not near, a bound from whole pods."""
        quick = _QUICK if self.tables.size < _HASTY_GROUPS else _HASTY
        yield from self._built(relaxed, quick[:1])
        is_ample = len(self.best.sketch.bins) >= self.tables.size
        is_loaded = is_ample and (self._is_of_few or self._is_poor)
        if bought is not None and is_loaded:
            yield from self._loaded(relaxed, bought, _GAIN_SOON)
        yield from self._built(relaxed, quick[1:])
        yield from relaxed.finely()
        if bought is not None and not is_loaded and self._is_poor:
            yield from self._loaded(relaxed, bought, _GAIN_SOON)
        yield from self._sought(relaxed, bought)

    def _thoroughly(self, relaxed: Relaxation, bought: Whole | None) -> Iterator[bool]:
        """Better answers, each in every way there is, and the bound as high as it gets."""
        if self._is_of_few:
            # Chance counts for more where nodes are few, and each try takes little time.
            for _ in range(_TRIES):
                yield from self._built(relaxed, (*_THOROUGH, *_QUICK))
                yield from self._sought(relaxed, bought)
                yield from self._improved(relaxed, _PATIENCE // 2)
        yield from self._built(relaxed, _THOROUGH)
        yield from self._improved(relaxed, _PATIENCE // 2)
        if bought is not None:
            bought.join_bins(self.best.sketch.bins)
            yield from self._loaded(relaxed, bought, _GAIN)
            yield from _in_turn(self._improved(relaxed, _PATIENCE), relaxed.wholly(bought, _EXACT, _PATIENCE))
            yield from self._rounded(relaxed, bought)

    def _urgency(self, relaxed: Relaxation) -> Floats:
        """Worth of pods for free rooms: those that nothing can be bought for come first."""
        urgency: Floats = relaxed.worth + np.where(self._buyable, 0.0, _NEVER)
        return urgency

    def _housed(self, relaxed: Relaxation) -> tuple[tuple[Load, ...], Ints]:
        """Loads of the free rooms, and the pods left that nodes can be bought for."""
        rooms = occupy(self.tables, self._urgency(relaxed))
        left = self.tables.count - pods_in(rooms, self.tables.size)
        return rooms, np.where(self._buyable, left, 0)

    def _try_exactly(self) -> None:
        found = exact(self.tables)
        if found is not None:
            self.best.consider(found[0])
            self._proven = found[1]

    def _built(self, relaxed: Relaxation, manners: tuple[Manner, ...]) -> Iterator[bool]:
        """Answers built from the fluid one; where sizes are limited, of the chosen ones once more."""
        if self.tables.size > _MANY_GROUPS:
            return
        rooms, left = self._housed(relaxed)
        guide = self._guides.along(relaxed)
        for each in manners:
            manner = replace(each, is_wary=each.is_wary and not self._is_of_few)
            yield from self._build(self.tables, guide, (rooms, left), manner)
            yield True
            tables = self.best.tables
            if tables is not self.tables:
                yield from self._build(tables, self._guides.of(tables), (rooms, left), manner)
                yield True

    def _build(
        self, tables: Tables, guide: Fluid, housed: tuple[tuple[Load, ...], Ints], manner: Manner
    ) -> Iterator[bool]:
        rooms, pods = housed
        part = _COMPLETED
        for built in build(tables, guide, pods, manner, self._random):
            if built.left.any():
                if self._is_first and built.left.sum() <= part * pods.sum():
                    self._complete(rooms, built)
                    part *= _COMPLETED
                yield True
                continue
            if cost(priced(tables, built.loads)) > self.bound * _POOR:
                learn(guide, built)
            bins = tuple(priced(self.tables, built.loads))
            self.best.consider(Sketch(rooms, bins))
            if self._bought is not None:
                self._bought.join_bins(bins)
            self._is_first = False

    def _complete(self, rooms: tuple[Load, ...], built: Built) -> None:
        """First-fit for what has not been built yet, so that there is a good answer if time ends before."""
        bins = priced(self.tables, built.loads)
        self.best.consider(Sketch(rooms, (*bins, *greedy(self.tables, built.left))))

    def _whole(self) -> Whole | None:
        """For not too many groups: the linear program over whole loads, to begin with those of the best answer."""
        if self.tables.size > _MOST_LOADED or self.tables.rooms or not self._buyable.all():
            return None
        bought = Whole(self.tables)
        bought.join_bins(self.best.sketch.bins)
        return bought

    @property
    def _is_poor(self) -> bool:
        return self.best.sketch.price > self.bound * _POOR

    def _loaded(self, relaxed: Relaxation, bought: Whole, gain: float) -> Iterator[bool]:
        """Loads by chance as long as they make the program's answer cheaper by that share, and the answer."""
        yield from relaxed.soon(bought, gain, self._random)
        yield from self._rounded(relaxed, bought)

    def _sought(self, relaxed: Relaxation, bought: Whole | None) -> Iterator[bool]:
        """Where the answer is poor, the bound from whole pods, loads found on the way, and their answer."""
        if bought is not None and self._is_poor:
            yield from relaxed.wholly(bought, _NEAR, _HASTE)
            yield from self._rounded(relaxed, bought)

    def _rounded(self, relaxed: Relaxation, bought: Whole) -> Iterator[bool]:
        """The program's answer, rounded down; the rest is picked from known loads, or built."""
        if not bought.solve():
            return
        loads, left = bought.rounded_down()
        dived = bought.dived()
        if dived is not None:
            self.best.consider(Sketch((), tuple(priced(self.tables, dived))))
            yield True
        for rest in build(self.tables, self._guides.along(relaxed), left, _THOROUGH[0], self._random):
            if not rest.left.any():
                self.best.consider(Sketch((), tuple(priced(self.tables, [*loads, *rest.loads]))))
            yield True

    def _improved(self, relaxed: Relaxation, patience: int) -> Iterator[bool]:
        idle = 0
        while idle < patience:
            before = self.best.sketch.price
            tables = self.best.tables
            self.best.consider(
                improve(tables, self.best.sketch, self._urgency(relaxed), self._random), tables
            )
            idle = 0 if self.best.sketch.price < before * (1 - _PROGRESS) else idle + 1
            yield True


def _in_turn(*generators: Iterator[bool]) -> Iterator[bool]:
    """One step of each after the other, until all end."""
    left = list(generators)
    while left:
        for each in tuple(left):
            if next(each, False):
                yield True
            else:
                left.remove(each)


def _answer(problem: Problem, search: _Search, lost: tuple[tuple[int, int], ...], rounds: int) -> Answer:
    best = search.best
    deal = Deal(problem, search.tables)
    planned = sorted((each.size, each.load) for each in best.sketch.bins if each.size is not None)
    nodes = tuple(Node(size, deal.out(load), problem.price_of(size)) for size, load in planned)
    rooms: list[Load] = [()] * len(problem.rooms)
    for place, load in zip(search.tables.room_places, best.sketch.rooms, strict=True):
        rooms[place] = deal.out(load)
    unplaced = tuple(sorted((*lost, *deal.out(load_of(best.out)))))
    price = sum((node.price for node in nodes), Decimal(0))
    bound = min(price, money(search.bound, problem))
    return Answer(nodes, tuple(rooms), unplaced, price, bound, rounds)
