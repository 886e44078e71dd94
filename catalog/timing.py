"""The two paces of the system: the clouds' own, and one for a demonstration.

A stack sets its HPAs, autoscaler and provisioner by this table, the emulated cloud its boot
delay and control plane, and the experiments how long "steady" has to last.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Timing:
    """Every wait of the system, in seconds."""

    name: str
    hpa_sync_s: int
    """kube-controller-manager's HPA period (15 on real clouds; not ours to set there)."""
    hpa_cpu_initialization_s: int
    hpa_initial_readiness_s: int
    hpa_scale_down_window_s: int
    """`stabilizationWindowSeconds` of scale-down."""
    metric_resolution_s: int
    """metrics-server's scrape interval; 10 is the least it takes."""
    node_unneeded_s: int
    """How long a node must be removable before the provisioner removes it."""
    provisioner_period_s: int
    autoscaler_scan_s: int
    autoscaler_unneeded_s: int
    autoscaler_delay_after_add_s: int
    boot_delay_s: int
    """From launch of an instance to its registration as a node (emulated clouds only)."""

    @property
    def longest_wait_s(self) -> int:
        """The longest time in which nothing is seen to happen though something will."""
        return max(
            self.hpa_scale_down_window_s,
            self.node_unneeded_s,
            self.autoscaler_unneeded_s,
            self.autoscaler_delay_after_add_s,
            self.boot_delay_s,
        )


CLOUD: Final = Timing(
    name="cloud",
    hpa_sync_s=15,
    hpa_cpu_initialization_s=300,
    hpa_initial_readiness_s=30,
    hpa_scale_down_window_s=300,
    metric_resolution_s=15,
    node_unneeded_s=300,
    provisioner_period_s=10,
    autoscaler_scan_s=10,
    autoscaler_unneeded_s=600,
    autoscaler_delay_after_add_s=600,
    boot_delay_s=90,
)

DEMO: Final = Timing(
    name="demo",
    hpa_sync_s=2,
    hpa_cpu_initialization_s=10,
    hpa_initial_readiness_s=2,
    hpa_scale_down_window_s=10,
    metric_resolution_s=10,
    node_unneeded_s=8,
    provisioner_period_s=2,
    autoscaler_scan_s=2,
    autoscaler_unneeded_s=8,
    autoscaler_delay_after_add_s=8,
    boot_delay_s=3,
)

TIMINGS: Final = {timing.name: timing for timing in (CLOUD, DEMO)}
