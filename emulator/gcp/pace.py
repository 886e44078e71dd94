"""How long the parts of an operation take, by the cluster's timing."""

from typing import Final

from emulator.cloud.pace import Pace

_CONTROL_PART: Final = 1 / 6
"""An operation's work without machines, beside a boot: a quarter of a minute at the cloud's own pace."""
_DRAIN_S: Final = {"cloud": 3600.0, "demo": 30.0}
"""How long a node pool's deletion waits for disruption budgets; an hour on the real cloud."""
RETRY_S: Final = 5.0
"""How often instance groups try again what could not be had."""


def control_s(pace: Pace) -> float:
    """Of an operation's work without machines."""
    return pace.timing.boot_delay_s * _CONTROL_PART


def shortage_s(pace: Pace) -> float:
    """How long an operation holds its cluster while machines cannot be had: ten boots."""
    return pace.timing.boot_delay_s * 10.0


def notice_s(pace: Pace) -> float:
    """Between the notice that a spot machine is preempted and its end: half a minute at the cloud's pace."""
    return pace.timing.boot_delay_s / 3


def drain_s(pace: Pace) -> float:
    """How long nodes of a pool that is deleted are drained at most."""
    return _DRAIN_S[pace.timing.name]
