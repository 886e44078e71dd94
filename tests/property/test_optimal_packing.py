"""The packing kernel against brute force on small cases, and against its own promises on larger ones."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.core.optimal.problem import Group, Problem
from provisioner.core.optimal.solve import solve
from tests.support.packing import assert_sound, cheapest, fixed, flexible, group, problem, room, rounds

prices = st.integers(1, 400).map(lambda cents: f"{cents / 1000:.3f}")
classes = st.sets(st.integers(0, 1), min_size=1)
fixed_machines = st.builds(
    fixed,
    st.integers(5, 60).map(lambda each: each * 100),
    st.integers(2, 40).map(lambda each: each / 2),
    prices,
    st.sampled_from([0, 0, 0, 1, 2]),
    st.integers(1, 12),
    st.integers(0, 1),
)
flexible_machines = st.builds(
    flexible,
    st.integers(1, 6),
    prices,
    prices,
    st.integers(0, 1),
    st.sampled_from([2, 4, 8]),
    per_node=st.just("0") | prices,
)
machines = st.lists(fixed_machines | flexible_machines, min_size=1, max_size=5)
rooms = st.builds(
    room,
    st.integers(0, 40).map(lambda each: each * 100),
    st.integers(0, 24).map(lambda each: each / 2),
    st.sampled_from([0, 0, 1]),
    st.integers(0, 1),
)


def groups(most_groups: int, most_pods: int) -> st.SearchStrategy[list[Group]]:
    one = st.builds(
        group,
        st.integers(0, 40).map(lambda each: each * 100),
        st.integers(0, 24).map(lambda each: each / 2),
        st.integers(0, most_pods),
        st.sampled_from([0, 0, 0, 0, 1]),
        classes,
        st.sampled_from([None, None, 1, 2]),
    )
    return st.lists(one, min_size=1, max_size=most_groups).flatmap(_some_apart)


def _some_apart(listed: list[Group]) -> st.SearchStrategy[list[Group]]:
    pairs = st.sets(st.tuples(st.integers(0, len(listed) - 1), st.integers(0, len(listed) - 1)), max_size=2)
    return pairs.map(
        lambda chosen: [
            Group(
                each.demand,
                each.count,
                each.classes,
                each.most_per_node,
                frozenset(b for a, b in chosen if a == at != b),
            )
            for at, each in enumerate(listed)
        ]
    )


def questions(most_groups: int, most_pods: int, most_rooms: int = 2) -> st.SearchStrategy[Problem]:
    return st.builds(
        lambda wanted, sold, there: problem(wanted, sold, *there),
        groups(most_groups, most_pods),
        machines,
        st.lists(rooms, max_size=most_rooms),
    )


@settings(max_examples=1200, deadline=None)
@given(questions(4, 2))
def test_the_answer_is_the_cheapest_there_is(question: Problem) -> None:
    answer = solve(question, rounds(60))
    assert_sound(question, answer)
    best = cheapest(question)
    if best is None:
        assert answer.unplaced
    else:
        assert answer.price == best
        assert not answer.unplaced


@settings(max_examples=800, deadline=None)
@given(questions(4, 2), st.integers(0, 3))
def test_the_bound_is_never_above_the_cheapest(question: Problem, count: int) -> None:
    answer = solve(question, rounds(count))
    assert_sound(question, answer)
    best = cheapest(question)
    if best is not None and not answer.unplaced:
        assert answer.bound <= best <= answer.price


@settings(max_examples=200, deadline=None)
@given(questions(10, 30, 6), st.integers(0, 25), st.integers(0, 5))
def test_nothing_is_lost_or_placed_twice_at_any_moment(question: Problem, count: int, seed: int) -> None:
    assert_sound(question, solve(question, rounds(count), seed))


@settings(max_examples=200, deadline=None)
@given(questions(8, 30), st.integers(1, 3), st.integers(0, 25))
def test_sizes_stay_as_few_as_allowed(question: Problem, most: int, count: int) -> None:
    narrow = Problem(question.groups, question.machines, question.rooms, most)
    assert_sound(narrow, solve(narrow, rounds(count)))


@settings(max_examples=200, deadline=None)
@given(questions(6, 12, 4), st.randoms(use_true_random=False), st.integers(0, 20))
def test_the_order_of_groups_and_rooms_does_not_matter(question: Problem, random: Random, count: int) -> None:
    places, there = list(range(len(question.groups))), list(question.rooms)
    random.shuffle(places)
    random.shuffle(there)
    new_place = {old: new for new, old in enumerate(places)}
    shuffled = Problem(
        tuple(
            Group(
                each.demand,
                each.count,
                each.classes,
                each.most_per_node,
                frozenset(new_place[at] for at in each.apart),
            )
            for each in (question.groups[old] for old in places)
        ),
        question.machines,
        tuple(there),
    )
    one, other = solve(question, rounds(count)), solve(shuffled, rounds(count))
    assert (one.price, one.bound) == (other.price, other.bound)
    assert [node.size for node in one.nodes] == [node.size for node in other.nodes]


@settings(max_examples=200, deadline=None)
@given(questions(8, 20), st.integers(0, 20))
def test_more_rounds_never_make_it_dearer(question: Problem, count: int) -> None:
    early, late = solve(question, rounds(count)), solve(question, rounds(count + 5))
    out_early, out_late = (sum(pods for _, pods in each.unplaced) for each in (early, late))
    assert (out_late, late.price) <= (out_early, early.price)
