"""Where no size holds a pod: the text names what is lacking, how much is asked for, and the most there is."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from provisioner.core.model import ARCH
from provisioner.core.policy import BIN_SELECT, MODES
from provisioner.core.resources import Resources
from tests.support.provision import ANY_ARCH, catalog, flexible, offering, planned, pod

GIB = 2**30
MARKET = catalog(
    offering("cores", vcpus=16, memory_gib=Decimal(8)),
    offering("memory", vcpus=2, memory_gib=Decimal(64)),
    offering("gpu", vcpus=4, memory_gib=Decimal(16), gpus=2, max_pods=30),
    flexible(arch="amd64"),
)


def text(requests: Resources, mode: str = BIN_SELECT, **changes: Any) -> str:
    plan = planned(
        [pod(requests=replace(requests, pods=max(1, requests.pods)), **changes)],
        MARKET,
        replace(ANY_ARCH, mode=mode),
    )
    ((reason,),) = (each.reasons for each in plan.unplaced)
    assert reason.code == "too-large"
    return reason.text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("requests", "lacking"),
    [
        (Resources(20_000, GIB), "20000m CPU (the most is 16000m)"),
        (
            Resources(1, 100 * GIB),
            "107374182400 bytes (100 GiB) of memory (the most is 68719476736 bytes (64 GiB))",
        ),
        (Resources(1, 1, 9), "9 GPUs (the most is 2)"),
        (Resources(1, 1, extended={"example.com/foo": 1}), "1 example.com/foo (the most is 0)"),
        (
            Resources(1, 1, extended={"ephemeral-storage": 100 * GIB}),
            "107374182400 bytes (100 GiB) of ephemeral-storage (the most is 37580963840 bytes (35 GiB))",
        ),
        (
            Resources(1, 1, extended={"hugepages-2Mi": GIB}),
            "1073741824 bytes (1 GiB) of hugepages-2Mi (the most is 0 bytes (0 GiB))",
        ),
        (
            Resources(17_000, 1, 3),
            "17000m CPU (the most is 16000m) and 3 GPUs (the most is 2)",
        ),
    ],
)
def test_what_no_machine_has_so_much_of_is_named(requests: Resources, lacking: str, mode: str) -> None:
    assert text(requests, mode) == f"it asks for {lacking}; no size that it may use holds that"


@pytest.mark.parametrize(
    ("requests", "clash"),
    [
        (
            Resources(9_000, 32 * GIB, pods=1),
            "9000m CPU and 34359738368 bytes (32 GiB) of memory",
        ),
        (Resources(5_000, GIB, 1, pods=1), "5000m CPU and 1 GPU"),
        (Resources(100, GIB, 1, pods=40), "1 GPU and 40 pods"),
    ],
)
def test_what_no_machine_has_together_is_named_and_nothing_else(requests: Resources, clash: str) -> None:
    assert text(requests) == f"it asks for {clash}; no size that it may use holds that together"


def test_the_most_is_of_machines_that_the_pod_may_use() -> None:
    said = text(Resources(9_000, GIB), node_selector={ARCH: "amd64"})
    assert said.startswith("it asks for 9000m CPU (the most is 8000m)")
