"""Status patches of process pods, as a kubelet would write them: pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from emulator.kube.api import Object
from emulator.kube.probes import State

_FIRST_BACK_OFF_S: Final = 10.0
_LONGEST_BACK_OFF_S: Final = 300.0
_FORGIVEN_AFTER_S: Final = 600.0
"""The kubelet's own: a container that ran this long starts anew without memory of its restarts."""


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run of a container."""

    started: datetime
    finished: datetime
    exit_code: int
    """As a shell says it: 128 + n for signal n."""

    @property
    def lasted_s(self) -> float:
        """How long it ran."""
        return (self.finished - self.started).total_seconds()


@dataclass(frozen=True, slots=True)
class History:
    """What came before the present run."""

    restarts: int = 0
    back_off_s: float = 0.0
    """How long to wait before the next run."""
    last: Run | None = None

    def after(self, run: Run) -> "History":
        """The history once this run has ended: at once the first time, then 10 s, 20 s, … 300 s."""
        if run.lasted_s >= _FORGIVEN_AFTER_S or self.last is None:
            back_off_s = 0.0
        else:
            back_off_s = min(max(2 * self.back_off_s, _FIRST_BACK_OFF_S), _LONGEST_BACK_OFF_S)
        return History(self.restarts + 1, back_off_s, run)


@dataclass(frozen=True, slots=True)
class Subject:
    """What stays the same over a pod's life."""

    container: str
    image: str
    pod_ip: str
    host_ip: str
    started: datetime


def running(subject: Subject, history: History, since: datetime, state: State, now: datetime) -> Object:
    """The container runs since then; whether the pod is ready is what its probes say now."""
    running = {"running": {"startedAt": _stamp(since)}}
    container = _container(subject, history, running, ready=state.ready)
    container["started"] = state.started
    return _status(subject, "Running", container, now)


def waiting(subject: Subject, history: History, reason: str, message: str, now: datetime) -> Object:
    """The container cannot run, or waits for its next start."""
    state = {"waiting": {"reason": reason, "message": message}}
    phase = "Pending" if history.last is None else "Running"
    return _status(subject, phase, _container(subject, history, state, ready=False), now)


def finished(subject: Subject, history: History, run: Run) -> Object:
    """The pod has ended for good."""
    phase = "Succeeded" if run.exit_code == 0 else "Failed"
    container = _container(subject, history, _terminated(run), ready=False)
    return _status(subject, phase, container, run.finished)


def addresses(subject: Subject) -> Object:
    """The part of a status that holds pod's and node's addresses."""
    return {
        "podIP": subject.pod_ip,
        "podIPs": [{"ip": subject.pod_ip}],
        "hostIP": subject.host_ip,
        "hostIPs": [{"ip": subject.host_ip}],
    }


def restarts(policy: str, exit_code: int) -> bool:
    """Whether a container is started again, by the pod's `restartPolicy`."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def _status(subject: Subject, phase: str, container: Object, now: datetime) -> Object:
    ready = "True" if container["ready"] else "False"
    conditions = [
        {"type": kind, "status": status, "lastTransitionTime": _stamp(now)}
        for kind, status in (
            ("PodReadyToStartContainers", "True"),
            ("Initialized", "True"),
            ("ContainersReady", ready),
            ("Ready", ready),
        )
    ]
    return {
        "status": {
            "phase": phase,
            **addresses(subject),
            "startTime": _stamp(subject.started),
            "conditions": conditions,
            "containerStatuses": [container],
        }
    }


def _container(subject: Subject, history: History, state: Object, *, ready: bool) -> Object:
    status: dict[str, Any] = {
        "name": subject.container,
        "image": subject.image,
        "imageID": "",
        "ready": ready,
        "started": ready,
        "restartCount": history.restarts,
        # A strategic merge keeps keys that are not named: the states that are over have to be.
        "state": {"running": None, "waiting": None, "terminated": None, **state},
    }
    if history.last is not None:
        status["lastState"] = _terminated(history.last)
    return status


def _terminated(run: Run) -> Object:
    return {
        "terminated": {
            "exitCode": run.exit_code,
            "reason": "Completed" if run.exit_code == 0 else "Error",
            "startedAt": _stamp(run.started),
            "finishedAt": _stamp(run.finished),
        }
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
