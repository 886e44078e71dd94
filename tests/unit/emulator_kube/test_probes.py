from typing import Any

import pytest

from emulator.kube.probes import Probe, State, Watch, probe_of


def container(**probes: dict[str, Any]) -> dict[str, Any]:
    get = {"httpGet": {"path": "/ping", "port": "http"}}
    return {
        "name": "main",
        "ports": [{"name": "http", "containerPort": 8080}],
        **{kind: {**get, **spec} for kind, spec in probes.items()},
    }


class Server:
    """What a container answers, by the probe's path."""

    def __init__(self, *, well: bool = False) -> None:
        self.well = well
        self.asked: list[Probe] = []

    def __call__(self, probe: Probe) -> bool:
        self.asked.append(probe)
        return self.well


def walk(watch: Watch, until: float) -> list[tuple[float, State]]:
    """The states that follow, each with the time it began at."""
    now, seen = 0.0, [(0.0, watch.state)]
    while (pause := watch.pause_s(now)) is not None and now + pause <= until:
        now += pause
        state = watch.step(now)
        if state != seen[-1][1]:
            seen.append((now, state))
    return seen


def test_a_container_without_probes_is_ready_at_once() -> None:
    watch = Watch(container(), 0.0, Server())

    assert watch.state == State(started=True, ready=True)
    assert watch.pause_s(0.0) is None


def test_readiness_waits_for_the_start_and_follows_the_answers() -> None:
    server = Server()
    watch = Watch(
        container(startupProbe={"periodSeconds": 1}, readinessProbe={"periodSeconds": 5}), 0.0, server
    )
    assert walk(watch, 1.0) == [(0.0, State(started=False, ready=False))]

    server.well = True

    assert watch.step(2.0) == State(started=True, ready=False)
    assert watch.step(2.0) == State(started=True, ready=True)


def test_a_start_probe_alone_decides_readiness() -> None:
    watch = Watch(container(startupProbe={}), 0.0, Server(well=True))

    assert watch.step(0.0) == State(started=True, ready=True)


def test_one_bad_answer_is_no_reason_but_so_many_are() -> None:
    server = Server(well=True)
    watch = Watch(container(readinessProbe={"periodSeconds": 5, "failureThreshold": 2}), 0.0, server)
    watch.step(0.0)
    server.well = False

    assert watch.step(5.0).ready
    assert not watch.step(10.0).ready
    server.well = True
    assert watch.step(15.0).ready


@pytest.mark.parametrize("kind", ["startupProbe", "livenessProbe"])
def test_what_does_not_start_or_live_is_restarted_and_not_asked_again(kind: str) -> None:
    watch = Watch(container(**{kind: {"periodSeconds": 2, "failureThreshold": 3}}), 0.0, Server())

    *_, (when, state) = walk(watch, 60.0)

    assert (when, state.restart, state.ready) == (4.0, True, False)
    assert watch.pause_s(when) is None


def test_the_first_probe_waits_for_its_delay() -> None:
    watch = Watch(container(readinessProbe={"initialDelaySeconds": 7}), 100.0, Server())

    assert watch.pause_s(100.0) == 7


def test_a_probe_is_read_with_kubernetes_defaults() -> None:
    spec = {"httpHeaders": [{"name": "A", "value": "b"}]}
    found = probe_of({"readinessProbe": {"httpGet": {"port": 80, **spec}}}, "readinessProbe")

    assert found == Probe(80, "/", {"A": "b"}, 0, 10, 1, 3, 1)
    assert probe_of({"readinessProbe": {"exec": {"command": ["true"]}}}, "readinessProbe") is None
