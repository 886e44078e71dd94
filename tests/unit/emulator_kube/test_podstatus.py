from datetime import UTC, datetime, timedelta

import pytest

from emulator.kube.podstatus import History, Run, Subject, finished, restarts, running, waiting
from emulator.kube.probes import State

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECT = Subject("main", "image", "10.130.0.1", "10.0.0.1", T0)


def run(lasted_s: float = 1.0, exit_code: int = 1) -> Run:
    return Run(T0, T0 + timedelta(seconds=lasted_s), exit_code)


def after(*runs: Run) -> History:
    history = History()
    for each in runs:
        history = history.after(each)
    return history


def test_the_first_restart_is_at_once_and_later_ones_wait_longer_and_longer() -> None:
    waits = [after(*[run()] * times).back_off_s for times in range(1, 9)]
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_long_run_is_forgiven() -> None:
    assert after(run(), run(), run(), run(601)).back_off_s == 0
    assert after(run(), run(), run(), run(601)).restarts == 4


@pytest.mark.parametrize(
    ("policy", "exit_code", "again"),
    [
        ("Always", 0, True),
        ("Always", 1, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 0, False),
        ("Never", 1, False),
    ],
)
def test_the_restart_policy_is_obeyed(policy: str, exit_code: int, again: bool) -> None:
    assert restarts(policy, exit_code) is again


def test_a_running_pod_is_ready_and_names_its_addresses() -> None:
    status = running(SUBJECT, History(), T0, State(started=True, ready=True), T0)["status"]
    assert (status["phase"], status["podIP"], status["hostIP"]) == ("Running", "10.130.0.1", "10.0.0.1")
    assert {row["type"]: row["status"] for row in status["conditions"]}["Ready"] == "True"
    assert status["containerStatuses"][0]["state"] == {
        "running": {"startedAt": "2026-01-01T00:00:00Z"},
        "waiting": None,
        "terminated": None,
    }


def test_a_pod_that_never_ran_is_pending_and_one_that_ran_is_not() -> None:
    never = waiting(SUBJECT, History(), "CreateContainerConfigError", "why", T0)["status"]
    again = waiting(SUBJECT, after(run(), run()), "CrashLoopBackOff", "why", T0)["status"]
    assert (never["phase"], again["phase"]) == ("Pending", "Running")
    assert again["containerStatuses"][0]["restartCount"] == 2
    assert again["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1


@pytest.mark.parametrize(
    ("exit_code", "phase", "reason"), [(0, "Succeeded", "Completed"), (1, "Failed", "Error")]
)
def test_the_end_of_a_pod(exit_code: int, phase: str, reason: str) -> None:
    status = finished(SUBJECT, History(), run(exit_code=exit_code))["status"]
    assert status["phase"] == phase
    assert status["containerStatuses"][0]["state"]["terminated"]["reason"] == reason
