from dataclasses import replace
from decimal import Decimal

import pytest

from provisioner.core.optimal.problem import Machine, Problem, ProblemError, Room, Size
from tests.support.packing import GIB, fixed, flexible, group, problem, room

ASKS = group(500, 1)


@pytest.mark.parametrize(
    ("machine", "fault"),
    [
        (fixed(1000, 1, "0"), "machine 0: price is 0; it has to be positive"),
        (fixed(1000, 1, "NaN"), "machine 0: price is NaN; it has to be positive"),
        (fixed(-1, 1, "1"), "machine 0: usable is"),
        (replace(fixed(1, 1, "1"), usable=(1, 1)), "machine 0: usable has 2 amounts; the first group has 4"),
        (flexible(2, "-1"), "machine 0: prices are -1 an OCPU"),
        (flexible(2, per_node="-1"), "machine 0: price_per_node is -1; it has to be 0 or more"),
        (flexible(2, per_node="NaN"), "machine 0: price_per_node is NaN; it has to be 0 or more"),
        (replace(flexible(2), ocpus=(2, 1)), "machine 0: ocpus, usable and gib must not fall"),
        (replace(flexible(2), ocpus=()), "machine 0: ocpus, usable and gib have to be of one length"),
        (replace(flexible(2), gib=((1, 8), (2, 99))), "machine 0: gib has to lie within 0 and 16"),
    ],
)
def test_a_machine_that_cannot_be_is_refused_by_name(machine: Machine, fault: str) -> None:
    with pytest.raises(ProblemError, match=fault.replace("(", r"\(")):
        problem([ASKS], [machine])


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        Problem(
            (
                replace(ASKS, count=-1),
                group(1, 1, most=0),
                group(1, 1, apart=[2]),
                replace(ASKS, demand=(1, 1, 0, 2)),
            ),
            (),
            (Room(0, (-5, 1, 0, 1)),),
            max_pools=0,
        )
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0].partition(" is ")[0] for line in lines] == [
        "max_pools",
        "group 0",
        "group 1",
        "group 2",
        "group 3",
        "room 0",
    ]


def test_amounts_beyond_what_is_exact_are_refused() -> None:
    with pytest.raises(ProblemError, match="amounts lie between 0 and"):
        problem([group(10**18, 1)], [fixed(1, 1, "1")])


def test_a_flexible_size_has_the_amounts_of_its_ocpus_and_its_memory() -> None:
    asked = problem([ASKS], [fixed(1000, 1, "1"), flexible(4)], room(1, 1))
    assert asked.usable_of(Size(1, 2, 5)) == (2000, 5 * GIB, 0, 110)
    assert asked.price_of(Size(1, 2, 5)) == Decimal("0.0275")
    assert asked.price_of(Size(0)) == 1


def test_each_machine_of_a_family_costs_its_price_per_node_whatever_its_size() -> None:
    asked = problem([ASKS], [flexible(4, per_node="0.1")])
    assert asked.price_of(Size(0, 2, 5)) == Decimal("0.1275")
    assert asked.price_of(Size(0, 1, 1)) == Decimal("0.1115")
