"""The course of a run: steps, stays and changes, from the samples."""

from decimal import Decimal

from experiments.course import Course, Stay, courses
from experiments.record import Sample

SMALL, LARGE = "small", "large"


def sample(
    second: int, point: str = "idle", variant: str = "dynamic", price: str = "1", **machines: int
) -> Sample:
    time = f"2026-01-01T00:00:{second:02d}+00:00"
    return Sample(time, variant, point, sum(machines.values()), {}, Decimal(price), machines=machines)


def course(*samples: Sample) -> Course:
    (only,) = courses(samples)
    return only


def test_only_what_changed_is_a_step_and_the_last_sample_ends_the_line() -> None:
    found = course(sample(0, small=2), sample(5, small=2), sample(10, small=3), sample(15, small=3))
    assert [(step.at_s, step.nodes) for step in found.steps] == [(0, 2), (10, 3), (15, 3)]


def test_a_price_that_changes_is_a_step_too() -> None:
    found = course(sample(0, small=1), sample(5, small=1, price="2"))
    assert [(step.at_s, str(step.price_per_hour)) for step in found.steps] == [(0, "1"), (5, "2")]


def test_one_sample_is_one_step() -> None:
    found = course(sample(0, small=1))
    assert len(found.steps) == 1
    assert found.stays == (Stay("idle", 0, 0),)


def test_a_stay_lasts_until_the_next_begins() -> None:
    found = course(sample(0), sample(5), sample(10, "peak"), sample(20, "peak"), sample(30, "idle"))
    assert found.stays == (Stay("idle", 0, 10), Stay("peak", 10, 30), Stay("idle", 30, 30))


def test_nodes_that_came_and_went_are_told_by_machine() -> None:
    found = course(sample(0, small=2), sample(5, small=2, large=1), sample(10, small=1, large=2))
    assert [(one.step.at_s, one.machine, one.count) for one in found.changes] == [
        (0, SMALL, 2),
        (5, LARGE, 1),
        (10, LARGE, 1),
        (10, SMALL, -1),
    ]


def test_variants_side_by_side_have_courses_of_their_own() -> None:
    found = courses([sample(0), sample(3, variant="max-sized"), sample(5), sample(9, variant="max-sized")])
    assert [(one.variant, one.steps[-1].at_s) for one in found] == [("max-sized", 6), ("dynamic", 5)]


def test_without_machines_there_are_no_changes_to_tell() -> None:
    assert course(sample(0), sample(5)).changes == ()
