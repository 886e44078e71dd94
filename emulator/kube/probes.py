"""A kubelet's probes of a container: when it has started, is ready, and has to be restarted.

Pure but for `answers`: `Watch` is told the time and what a probe saw.
"""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final

from emulator.kube.api import Object

_LONGEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Probe:
    """An HTTP probe."""

    port: int
    path: str
    headers: Mapping[str, str]
    initial_delay_s: float
    period_s: float
    timeout_s: float
    failures: int
    """In a row, after which it counts as failed."""
    successes: int


def probe_of(container: Object, kind: str) -> Probe | None:
    """The container's `startupProbe`, `readinessProbe` or `livenessProbe`; None: none that asks by HTTP."""
    spec = container.get(kind) or {}
    get = spec.get("httpGet")
    if get is None:
        return None
    return Probe(
        port=_port(get["port"], container),
        path=get.get("path") or "/",
        headers={row["name"]: row["value"] for row in get.get("httpHeaders") or ()},
        initial_delay_s=spec.get("initialDelaySeconds", 0),
        period_s=spec.get("periodSeconds", 10),
        timeout_s=spec.get("timeoutSeconds", 1),
        failures=spec.get("failureThreshold", 3),
        successes=spec.get("successThreshold", 1),
    )


def answers(address: str, probe: Probe) -> bool:
    """Whether the process says, in time, that it is well."""
    connection = http.client.HTTPConnection(address, probe.port, timeout=probe.timeout_s)
    try:
        connection.request("GET", probe.path, headers={"User-Agent": "kube-probe/1.36", **probe.headers})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST


@dataclass(frozen=True, slots=True)
class State:
    """What the probes say of a container."""

    started: bool
    ready: bool
    restart: bool = False
    """It failed to start in time, or does not live any more."""


@dataclass(slots=True)
class _Count:
    probe: Probe
    due: float
    passed: int = 0
    failed: int = 0

    def note(self, *, well: bool, now: float) -> None:
        self.passed, self.failed = (self.passed + 1, 0) if well else (0, self.failed + 1)
        self.due = now + self.probe.period_s


@dataclass(slots=True)
class Watch:
    """The probes of one run of a container."""

    container: Object
    began: float
    look: Callable[[Probe], bool]
    state: State = field(init=False)
    _counts: dict[str, _Count] = field(init=False)

    def __post_init__(self) -> None:
        self._counts = {}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = probe_of(self.container, kind)
            if probe is not None:
                self._counts[kind] = _Count(probe, self.began + probe.initial_delay_s)
        started = "startupProbe" not in self._counts
        self.state = State(started=started, ready=started and "readinessProbe" not in self._counts)

    def pause_s(self, now: float) -> float | None:
        """How long until the next probe is due; None when there is none."""
        due = [count.due for count in self._due_kinds().values()]
        return None if not due else min(max(0.0, min(due) - now), _LONGEST_S)

    def step(self, now: float) -> State:
        """Ask every probe that is due."""
        for kind, count in self._due_kinds().items():
            if count.due <= now:
                count.note(well=self.look(count.probe), now=now)
                self._judge(kind, count)
        return self.state

    def _due_kinds(self) -> dict[str, _Count]:
        """Until it has started, the start alone is probed."""
        if self.state.restart:
            return {}
        if not self.state.started:
            return {"startupProbe": self._counts["startupProbe"]}
        return {kind: count for kind, count in self._counts.items() if kind != "startupProbe"}

    def _judge(self, kind: str, count: _Count) -> None:
        well, ill = count.passed >= count.probe.successes, count.failed >= count.probe.failures
        if kind == "readinessProbe" and (well or ill):
            self.state = replace(self.state, ready=well)
        elif kind == "startupProbe" and well:
            self.state = State(started=True, ready="readinessProbe" not in self._counts)
        elif kind != "readinessProbe" and ill:
            self.state = replace(self.state, ready=False, restart=True)


def _port(port: int | str, container: Object) -> int:
    if isinstance(port, int):
        return port
    named: dict[str, Any] = {
        row.get("name", ""): row["containerPort"] for row in container.get("ports") or ()
    }
    return int(named.get(port, 0))
