from collections.abc import Sequence
from decimal import Decimal
from random import Random

from provisioner.core.optimal.answer import Answer
from provisioner.core.optimal.problem import Group, Machine, Problem, Room, Size
from provisioner.core.optimal.solve import solve
from tests.support.packing import assert_sound, fixed, flexible, group, problem, room, rounds

SMALL, LARGE = fixed(1000, 4, "0.10"), fixed(4000, 16, "0.35")


def solved(
    groups: Sequence[Group], machines: Sequence[Machine], *rooms: Room, count: int = 60, **more: object
) -> Answer:
    question = problem(groups, machines, *rooms, **more)
    answer = solve(question, rounds(count))
    assert_sound(question, answer)
    return answer


def bought(answer: Answer) -> list[Size]:
    return [node.size for node in answer.nodes]


class TestPrices:
    """What is cheapest is bought, and the bound says so."""

    def test_many_small_pods_share_the_machine_with_the_best_price_for_them(self) -> None:
        answer = solved([group(900, 3, 4)], [SMALL, LARGE])
        assert (bought(answer), answer.price) == ([Size(1)], Decimal("0.35"))

    def test_one_small_pod_gets_a_small_machine(self) -> None:
        assert bought(solved([group(900, 3)], [SMALL, LARGE])) == [Size(0)]

    def test_a_flexible_machine_is_bought_to_the_whole_ocpu_and_gib(self) -> None:
        answer = solved([group(700, 1.5, 3)], [flexible(8)])
        assert (bought(answer), answer.price) == ([Size(0, 3, 5)], Decimal("0.0375"))

    def test_few_pods_are_packed_with_proof(self) -> None:
        answer = solved([group(600, 1, 7), group(400, 3, 5)], [SMALL, LARGE, flexible(8, "0.05", "0.01")])
        assert answer.bound == answer.price
        assert answer.gap == 0

    def test_a_gpu_is_not_bought_for_nobody(self) -> None:
        dear = fixed(4000, 16, "0.90", gpus=1)
        assert bought(solved([group(900, 3, 4)], [dear, LARGE])) == [Size(1)]

    def test_a_gpu_machine_is_bought_when_it_is_the_cheapest_anyway(self) -> None:
        cheap = fixed(4000, 16, "0.20", gpus=1)
        assert bought(solved([group(900, 3, 4)], [cheap, LARGE])) == [Size(0)]

    def test_nothing_asked_costs_nothing(self) -> None:
        answer = solved([group(900, 3, 0)], [SMALL])
        assert not answer.nodes
        assert (answer.price, answer.bound, answer.gap) == (Decimal(0), Decimal(0), Decimal(0))

    def test_the_first_answer_needs_no_round_and_has_a_bound(self) -> None:
        answer = solved([group(900, 3, 50), group(300, 1, 70)], [SMALL, LARGE], count=0)
        assert answer.rounds == 0
        assert 0 < answer.bound <= answer.price

    def test_a_bound_is_a_sum_of_prices(self) -> None:
        answer = solved([group(700, 2, 90), group(450, 1, 75)], [SMALL, LARGE], count=5)
        assert answer.bound % Decimal("0.05") == 0

    def test_large_machines_that_hold_no_more_pods_are_not_thought_as_good_as_smaller_ones(self) -> None:
        machines = [_linear(2**step, ratio) for step in range(9) for ratio in (2, 4, 8)]
        answer = solved(_distinct(600), machines, count=20)
        assert answer.price < answer.bound * Decimal("1.02")

    def test_half_an_answer_is_completed_in_case_time_ends(self) -> None:
        first, half, built = (solved(_distinct(600), [flexible(32)], count=count) for count in (0, 8, 30))
        assert built.price < half.price < first.price


def _distinct(pods: int) -> list[Group]:
    """No two pods alike."""
    random = Random(1)
    return [group(random.randrange(50, 3000), random.randrange(64, 16384) / 1024) for _ in range(pods)]


def _linear(cpus: int, ratio: int) -> Machine:
    """Prices as on a market where full machines are as cheap as any other; pods are limited to 110."""
    price = Decimal("0.025") * cpus + Decimal("0.001") * cpus * ratio
    return fixed(cpus * 1000, cpus * ratio, str(price), pods=min(110, cpus * 16))


class TestRooms:
    """Free room is used before anything is bought."""

    def test_what_fits_a_room_is_not_bought_for(self) -> None:
        answer = solved([group(900, 3, 2)], [SMALL], room(2000, 8))
        assert answer.rooms == (((0, 2),),)
        assert answer.price == 0

    def test_the_dearest_pods_go_where_it_is_free(self) -> None:
        answer = solved([group(900, 3, 1), group(3900, 15, 1)], [SMALL, LARGE], room(4000, 16))
        assert (answer.rooms, answer.price) == ((((1, 1),),), Decimal("0.10"))

    def test_a_pod_that_no_machine_holds_comes_before_others(self) -> None:
        answer = solved([group(900, 3, 30), group(9000, 30, 1)], [SMALL], room(9000, 30))
        assert answer.rooms == (((1, 1),),)
        assert not answer.unplaced

    def test_rooms_are_for_those_who_may_go_there(self) -> None:
        answer = solved([group(900, 3, 1)], [SMALL], room(2000, 8, klass=1))
        assert (answer.rooms, answer.price) == (((),), Decimal("0.10"))


class TestPods:
    """Which pods may share, and which cannot be placed."""

    def test_pods_that_refuse_each_other_get_nodes_of_their_own(self) -> None:
        assert bought(solved([group(100, 0.1, 3, most=1)], [SMALL, LARGE])) == [Size(0)] * 3

    def test_groups_that_refuse_each_other_do_not_share(self) -> None:
        assert bought(solved([group(100, 0.1), group(100, 0.1, apart=[0])], [SMALL, LARGE])) == [Size(0)] * 2

    def test_groups_that_refuse_each_other_do_not_share_in_loads_of_the_linear_program_either(self) -> None:
        two = fixed(500, 1, "0.10", pods=2)
        answer = solved([group(0, 0, 25, apart=[2]), group(0, 0, 15), group(400, 0, 21)], [two])
        assert len(bought(answer)) == 13 + 21

    def test_two_groups_of_one_kind_each_spread_by_themselves(self) -> None:
        answer = solved([group(100, 0.1, 3, most=1), group(100, 0.1, 3, most=1)], [SMALL, LARGE])
        assert bought(answer) == [Size(0)] * 3

    def test_classes_keep_pods_from_machines(self) -> None:
        answer = solved(
            [group(100, 1, 2, classes=[1]), group(100, 1, 2)], [SMALL, fixed(1000, 4, "0.3", klass=1)]
        )
        assert bought(answer) == [Size(0), Size(1)]

    def test_what_fits_nothing_is_left_out_by_name(self) -> None:
        answer = solved([group(100, 1, 2), group(9000, 1, 3), group(1, 1, 1, classes=[7])], [SMALL])
        assert answer.unplaced == ((1, 3), (2, 1))

    def test_without_machines_everything_is_left_out(self) -> None:
        assert solved([group(100, 1, 2)], []).unplaced == ((0, 2),)

    def test_other_amounts_count_as_well(self) -> None:
        disk = [Group((100, 100, 0, 1, 60), 3, frozenset({0}))]
        machine = Problem(tuple(disk), (_disk(100, "0.1"), _disk(200, "0.15")))
        answer = solve(machine, rounds(60))
        assert_sound(machine, answer)
        assert answer.price == Decimal("0.15")


def _disk(amount: int, price: str) -> Machine:
    plain = fixed(4000, 16, price)
    return type(plain)(plain.klass, (*plain.usable, amount), plain.price)


class TestPools:
    """At most so many sizes."""

    WANTED = tuple(group(700 + 900 * step, 2 + 3 * step, 1, most=1) for step in range(6))

    def test_sizes_are_rounded_up_to_a_few(self) -> None:
        free = solved(self.WANTED, [flexible(8)], max_pools=20)
        one = solved(self.WANTED, [flexible(8)], max_pools=1)
        assert len(set(bought(one))) == 1
        assert one.price >= free.price

    def test_sizes_in_use_are_taken_when_no_new_one_may_be_added(self) -> None:
        answer = solved([group(900, 3, 1)], [flexible(8)], max_pools=1, standing=frozenset({Size(0, 4, 8)}))
        assert bought(answer) == [Size(0, 4, 8)]

    def test_a_size_too_many_leaves_pods_out(self) -> None:
        machines = [SMALL, fixed(1000, 4, "0.3", klass=1)]
        answer = solved([group(100, 1, 5), group(100, 1, 2, classes=[1])], machines, max_pools=1)
        assert answer.unplaced == ((1, 2),)
        assert answer.bound == answer.price == Decimal("0.20")


class TestRepeatability:
    """The same question has the same answer."""

    QUESTION = problem([group(130 * n, 0.3 * n, 40 - n) for n in range(1, 25)], [SMALL, LARGE, flexible(8)])

    def test_of_the_same_rounds_and_seed(self) -> None:
        assert solve(self.QUESTION, rounds(12), 3) == solve(self.QUESTION, rounds(12), 3)

    def test_rounds_asked_for_are_the_rounds_run(self) -> None:
        assert solve(self.QUESTION, rounds(4)).rounds == 4

    def test_it_stops_by_itself(self) -> None:
        assert solve(self.QUESTION, lambda: True).rounds < 1000
