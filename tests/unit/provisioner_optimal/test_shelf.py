from dataclasses import replace
from random import Random

import numpy as np
import pytest

from provisioner.core.optimal.problem import Fixed, Flexible, Machine
from provisioner.core.optimal.shelf import stack
from tests.support.packing import GIB, every_size, fixed, flexible, group, problem


def listed(seed: int) -> list[Machine]:
    random = Random(seed)
    machines: list[Machine] = [
        fixed(random.randrange(500, 9000, 500), random.randrange(1, 40), f"0.{random.randrange(1, 99):02}")
        for _ in range(random.randrange(6))
    ]
    for _ in range(random.randrange(3)):
        whole = flexible(
            random.randrange(1, 9),
            f"0.0{random.randrange(1, 9)}",
            f"0.00{random.randrange(1, 9)}",
            per_node=random.choice(["0", "0.003", "0.02"]),
        )
        machines.append(_with_a_dip(whole, random))
    return machines or [fixed(1000, 4, "0.1")]


def _with_a_dip(whole: Flexible, random: Random) -> Flexible:
    """Reservations take steps: a GiB more may leave less."""
    at = random.randrange(1, len(whole.memory))
    memory = tuple(amount - (GIB * 3 // 2 if gib == at else 0) for gib, amount in enumerate(whole.memory))
    return replace(whole, memory=tuple(max(0, amount) for amount in memory))


@pytest.mark.parametrize("seed", range(60))
def test_no_size_that_holds_a_load_is_cheaper_than_the_one_found(seed: int) -> None:
    machines = listed(seed)
    asked = problem([group(1, 1)], machines)
    shelf = stack(enumerate(machines))
    random = Random(seed)
    loads = [
        (random.randrange(9000), random.randrange(40 * GIB), 0, random.randrange(1, 9)) for _ in range(40)
    ]
    found = shelf.cheapest(np.array(loads, dtype=np.float64))
    for load, price in zip(loads, found, strict=True):
        holding = [
            float(asked.price_of(size))
            for size in every_size(asked.machines)
            if all(need <= there for need, there in zip(load, asked.usable_of(size), strict=True))
        ]
        assert price == pytest.approx(min(holding, default=np.inf))
        if holding:
            (size,) = shelf.choose(np.array([load], dtype=np.float64))
            assert float(asked.price_of(size)) == pytest.approx(price)
            assert all(n <= there for n, there in zip(load, shelf.usable_of(size), strict=True))


def test_what_is_dearer_and_smaller_is_left_out() -> None:
    machines: list[Fixed] = [fixed(1000, 4, "0.2"), fixed(2000, 4, "0.2"), fixed(2000, 8, "0.1")]
    assert [size.machine for size in stack(enumerate(machines)).sizes] == [2]
