"""Injects faults: checks what was asked for, registers it, and does what happens at once."""

import difflib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from emulator.cloud import fault as kinds
from emulator.cloud.background import Background
from emulator.cloud.clock import Clock
from emulator.cloud.fault import Fault
from emulator.cloud.faults import Faults, Injected
from emulator.cloud.served import ServedCloud, ServedNode

_POLL_S: Final = 0.5
_CLOSE: Final = 5


class Refused(Exception):
    """A fault cannot be injected; `reasons` are all of them, one line each."""

    def __init__(self, reasons: Sequence[str], *, is_usage: bool) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)
        self.is_usage = is_usage
        """Whether it is wrong whatever runs."""


class Injection:
    """The faults of an emulator, and the clouds that they happen in."""

    def __init__(self, clouds: Sequence[ServedCloud], faults: Faults, clock: Clock) -> None:
        self._clouds = clouds
        self._faults = faults
        self._clock = clock
        self._background: Final = Background("INTERNAL")

    def inject(self, kind: str, arguments: Mapping[str, Any], cloud: str | None) -> Injected:
        """Begin a fault.

        Raises:
            Refused: with everything that is wrong.
        """
        fault: Fault = kinds.KINDS[kind](**arguments)
        clouds = [each for each in self._clouds if cloud in {None, each.name}]
        if faults := list(_faults(kind, fault, clouds)):
            raise Refused(faults, is_usage=True)
        now = self._clock.now()
        if isinstance(fault, kinds.NotReady | kinds.Vanish | kinds.SpotReclaim):
            node = self._node(kind, fault.node, clouds)
            if isinstance(fault, kinds.SpotReclaim) and not node.is_spot:
                text = f"{kind}: node {node.name} is no spot node; `vanish {node.name}` ends any machine"
                raise Refused([text], is_usage=False)
            injected = self._faults.inject(fault, node.cloud, now)
            self._faults.strike(injected)
            self._happen(injected, node)
            return injected
        injected = self._faults.inject(fault, _only(fault, clouds, cloud), now)
        if isinstance(fault, kinds.ApiServerRestart):
            for kube in [kube for each in clouds for kube in each.kubes()]:
                self._faults.strike(injected)
                self._run(injected, kube.restart_api_server)
        return injected

    def holding(self) -> tuple[Injected, ...]:
        """Faults that are not over."""
        return self._faults.holding(self._clock.now())

    def clear(self, fault_id: str | None) -> tuple[Injected, ...]:
        """End a fault, or (None) all.

        Raises:
            Refused: there is no such fault.
        """
        ended = self._faults.clear(fault_id, self._clock.now())
        if fault_id is not None and not ended:
            there = ", ".join(each.id for each in self.holding()) or "none"
            raise Refused([f"clear: no fault '{fault_id}'; there are: {there}"], is_usage=False)
        return ended

    def join(self, timeout_s: float) -> None:
        """Wait for what goes on, for example at the end of a test."""
        self._background.join(timeout_s)

    def _happen(self, injected: Injected, node: ServedNode) -> None:
        cloud = next(each for each in self._clouds if each.name == node.cloud)
        match injected.fault:
            case kinds.NotReady():
                self._run(injected, lambda: self._silence(injected, node))
            case kinds.Vanish():
                cloud.vanish(node)
            case kinds.SpotReclaim():
                cloud.reclaim(node)

    def _silence(self, injected: Injected, node: ServedNode) -> None:
        node.kube.silence_node(node.name)
        while self._faults.holds(injected.id, self._clock.now()):
            self._clock.wait(_POLL_S)
        node.kube.hear_node(node.name)

    def _run(self, injected: Injected, carry_out: Callable[[], None]) -> None:
        self._background.run(injected.id, carry_out, lambda _fault: None)

    def _node(self, kind: str, name: str, clouds: Sequence[ServedCloud]) -> ServedNode:
        """The node of that name, which `CONTEXT/NAME` tells from one of another cluster."""
        nodes = [node for cloud in clouds for node in cloud.nodes()]
        found = [node for node in nodes if name in {node.name, f"{node.context}/{node.name}"}]
        if len(found) == 1:
            return found[0]
        known = [f"{node.context}/{node.name}" for node in found or nodes]
        if found:
            text = f"node '{name}' is in several clusters; name one of {', '.join(known)}"
        else:
            close = difflib.get_close_matches(name, [*known, *(node.name for node in nodes)], _CLOSE)
            text = (
                f"node '{name}' is in no cluster; there are: {', '.join(close or known[:_CLOSE]) or 'none'}"
            )
        raise Refused([f"{kind}: {text}"], is_usage=False)


def _only(fault: Fault, clouds: Sequence[ServedCloud], asked: str | None) -> str | None:
    """The cloud in which a fault holds: the one asked for, or the one that sells the shape."""
    shape = getattr(fault, "shape", None)
    selling = [each.name for each in clouds if shape in each.wares().shapes]
    return asked or (selling[0] if len(selling) == 1 else None)


def _faults(kind: str, fault: Fault, clouds: Sequence[ServedCloud]) -> Iterator[str]:
    """What is wrong with a fault's arguments."""
    for text in (*_shape_faults(fault, clouds), *_number_faults(fault)):
        yield f"{kind}: {text}"


def _shape_faults(fault: Fault, clouds: Sequence[ServedCloud]) -> Iterator[str]:
    shape, zone = getattr(fault, "shape", None), getattr(fault, "zone", None)
    wares = [cloud.wares() for cloud in clouds]
    selling = [each for each in wares if shape in each.shapes]
    names = " and ".join(cloud.name for cloud in clouds)
    if shape is not None and not selling:
        yield f"SHAPE '{shape}' is not in the catalog of {names}; {_near(shape, [*wares])}"
    if isinstance(fault, kinds.Quota) and selling and not any(shape in each.limited for each in selling):
        yield f"SHAPE '{shape}' is counted by no limit; for example {', '.join(sorted(selling[0].limited)[:3])} are"
    zones = [each for ware in selling or wares for each in ware.zones]
    if zone is not None and zone not in zones:
        yield f"--zone '{zone}' is not one of {', '.join(zones)}"


def _near(shape: str, wares: Sequence[Any]) -> str:
    names = sorted({name for each in wares for name in each.shapes})
    close = difflib.get_close_matches(shape, names, _CLOSE, 0.5)
    return f"close: {', '.join(close)}" if close else f"for example {', '.join(names[:_CLOSE])}"


def _number_faults(fault: Fault) -> Iterator[str]:
    rate, service = getattr(fault, "rate", None), getattr(fault, "service", None)
    if service is not None and service not in kinds.SERVICES:
        yield f"service '{service}' is not one of {', '.join(kinds.SERVICES)}"
    if rate is not None and not 0 <= rate <= 1:
        yield f"RATE {rate:g} must be between 0 and 1: the share of requests"
    for name, title in (("for_s", "--for"), ("behind_s", "S"), ("takes_s", "S")):
        seconds = getattr(fault, name, None)
        if seconds is not None and not (seconds >= 0 and math.isfinite(seconds)):
            yield f"{title} {seconds:g} must be seconds, 0 or more"
    if isinstance(fault, kinds.Quota) and fault.limit < 0:
        yield f"N {fault.limit} must be 0 or more: cores, or GPUs of a shape that has some"
    if isinstance(fault, kinds.NeverJoin) and fault.count < 1:
        yield f"N {fault.count} must be 1 or more: machines"
