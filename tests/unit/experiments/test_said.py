"""What of the provisioner's log tells why a price is not lower."""

import json

from experiments.said import Said, said_of_price
from provisioner.core.explain import WITHDRAWN

DECLINED = "$0.002 an hour less is possible, but moving 3 pods is taken to cost $0.003"


def line(event: str, second: int, **more: str) -> str:
    time = f"2026-01-02T03:04:{second:02}Z"
    return json.dumps({"event": event, "level": "info", "timestamp": time, **more})


def moving(event: str, second: int) -> str:
    return line(event, second, subject="moving")


def said(*lines: str, since: str = "2026-01-02T03:04:00+00:00") -> tuple[Said, ...]:
    return said_of_price("\n".join(lines), since)


def test_the_last_word_on_moving_counts() -> None:
    assert said(moving("$0.007 an hour less", 1), moving(DECLINED, 2)) == (
        Said("2026-01-02T03:04:02Z", DECLINED),
    )


def test_it_counts_from_before_as_well_since_it_is_said_once() -> None:
    assert said(moving(DECLINED, 2), since="2026-01-02T03:05:00+00:00")[0].words == DECLINED


def test_a_reason_that_was_withdrawn_is_none() -> None:
    gone = moving(WITHDRAWN, 2)
    assert said(moving(DECLINED, 1), gone, line("buy", 3)) == ()
    assert said(moving(DECLINED, 1), gone, moving(DECLINED, 3)) == (Said("2026-01-02T03:04:03Z", DECLINED),)


def test_that_nodes_came_or_went_since_is_told() -> None:
    for change in (line("buy", 3), line("terminate: empty since 03:04:01", 3, subject="node a")):
        assert said(moving(DECLINED, 2), change) == (Said("2026-01-02T03:04:02Z", DECLINED, is_older=True),)
    kept = line("mark: no pod but its own runs on it", 3, subject="node a")
    assert not said(moving(DECLINED, 2), kept)[0].is_older


def test_it_is_no_longer_old_once_it_is_said_again() -> None:
    assert not said(moving(DECLINED, 2), line("buy", 3), moving(DECLINED, 4))[0].is_older


def test_machines_that_were_not_to_be_had_are_told_while_they_are_new() -> None:
    refused = line("not to be had", 5, size="a1.large in zone-a", why="no capacity")
    assert said(refused) == (Said("2026-01-02T03:04:05Z", "a1.large in zone-a not to be had: no capacity"),)
    assert said(refused, since="2026-01-02T03:04:06+00:00") == ()


def test_what_is_no_line_of_the_log_is_passed_over() -> None:
    assert said("Traceback", "[1]", '"moving"', "", line("starting", 1)) == ()
