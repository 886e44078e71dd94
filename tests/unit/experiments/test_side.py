"""Side by side: as many as memory allows, and nothing goes on after a failure or a stop."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from experiments.fault import Fault, Interrupted
from experiments.side import BYTES_PER_VARIANT, at_once, available_bytes, run_all, stopped_by_signals

SOON_S = 20.0


@pytest.mark.parametrize(
    ("variants", "available", "expected"),
    [
        (3, 10 * BYTES_PER_VARIANT, 3),
        (3, 2 * BYTES_PER_VARIANT, 2),
        (3, BYTES_PER_VARIANT - 1, 1),
        (3, -1, 1),
        (1, 10 * BYTES_PER_VARIANT, 1),
    ],
)
def test_memory_decides_how_many_run_at_once(variants: int, available: int, expected: int) -> None:
    assert at_once(variants, available) == expected


def test_this_machine_has_memory() -> None:
    assert available_bytes() > 0


def waits_for(stop: Event) -> Callable[[], None]:
    def task() -> None:
        if stop.wait(SOON_S):
            raise Interrupted

    return task


def test_all_tasks_are_run() -> None:
    done: list[str] = []
    run_all({name: lambda name=name: done.append(name) for name in "abc"}, 2, Event(), disposable=True)  # type: ignore[misc]
    assert sorted(done) == ["a", "b", "c"]


def test_the_first_failure_ends_the_others_and_is_the_one_that_is_raised() -> None:
    stop = Event()

    def fails() -> None:
        raise Fault("the reason")

    with pytest.raises(Fault, match="the reason"):
        run_all({"waiting": waits_for(stop), "failing": fails}, 2, stop, disposable=True)
    assert stop.is_set()


def test_a_task_that_had_to_wait_is_not_begun_after_a_failure() -> None:
    begun: list[str] = []

    def fails() -> None:
        raise Fault("the reason")

    stop = Event()
    tasks = {"failing": fails, "long": waits_for(stop), "never": lambda: begun.append("")}
    with pytest.raises(Fault):
        run_all(tasks, 2, stop, disposable=True)
    assert begun == []


def test_a_stop_from_outside_is_an_interruption() -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        run_all({"waiting": waits_for(stop)}, 1, stop, disposable=True)


def test_a_signal_sets_the_stop_and_tears_nothing_apart() -> None:
    stop = Event()
    before = signal.getsignal(signal.SIGINT)
    with stopped_by_signals(stop):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.is_set()
    assert signal.getsignal(signal.SIGINT) is before


def test_an_engine_at_work_is_interrupted_on_a_stop(tmp_path: Path) -> None:
    engine = tmp_path / "pulumi"
    engine.write_text("#!/bin/sh\ntrap 'exit 3' INT\ntouch \"$0.started\"\nwhile :; do sleep 0.05; done\n")
    engine.chmod(0o755)
    stop = Event()
    codes: list[int] = []

    def works() -> None:
        with subprocess.Popen([str(engine)]) as process:
            codes.append(process.wait(timeout=SOON_S))

    def stops() -> None:
        until = time.monotonic() + SOON_S
        while not Path(f"{engine}.started").exists() and time.monotonic() < until:
            time.sleep(0.01)
        stop.set()

    with pytest.raises(Interrupted):
        run_all({"engine": works, "user": stops}, 2, stop, disposable=True)
    assert codes == [3]
