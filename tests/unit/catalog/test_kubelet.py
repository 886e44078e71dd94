import base64
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.allocatable import MIB, allocatable, capacity
from catalog.kubelet import EVICTION_MIB, Machine, extra_args, node_metadata

MANAGEMENT = Machine(arch="arm64", vcpus=2, memory_gib=Decimal(32), gpus=0, max_pods=31)
TAINT = "rightsize.io/role=inference:NoSchedule"


def script(arguments: str, boot_volume_gib: int = 50) -> str:
    return base64.b64decode(node_metadata(arguments, boot_volume_gib)["user_data"]).decode()


def test_the_documented_reservation_of_a_management_node() -> None:
    assert extra_args(MANAGEMENT, "documented") == (
        "--kube-reserved=cpu=70m,memory=3072Mi --system-reserved=cpu=100m,memory=100Mi"
    )


def test_nominal_accounting_reserves_nothing() -> None:
    assert extra_args(MANAGEMENT, "nominal") == ""
    assert extra_args(MANAGEMENT, "nominal", (TAINT,)) == f"--register-with-taints={TAINT}"


def test_taints_are_separated_by_commas_and_never_quoted() -> None:
    arguments = extra_args(MANAGEMENT, "nominal", ("a=b:NoSchedule", "c=d:NoExecute"))
    assert arguments == "--register-with-taints=a=b:NoSchedule,c=d:NoExecute"


def test_the_script_and_the_metadata_say_the_same() -> None:
    arguments = extra_args(MANAGEMENT, "documented", (TAINT,))
    assert f'--kubelet-extra-args "{arguments}"' in script(arguments)
    assert node_metadata(arguments, 50)["kubelet-extra-args"] == arguments


@pytest.mark.parametrize(("gib", "grown"), [(50, False), (51, True)])
def test_a_larger_boot_volume_is_grown(gib: int, grown: bool) -> None:
    assert ("oci-growfs" in script("", gib)) is grown


@given(vcpus=st.integers(1, 64), memory=st.integers(4, 512))
def test_the_reservation_leaves_what_is_documented(vcpus: int, memory: int) -> None:
    machine = Machine(arch="arm64", vcpus=vcpus, memory_gib=Decimal(memory), gpus=0, max_pods=110)
    found = re.findall(r"cpu=(\d+)m,memory=(\d+)Mi", extra_args(machine, "documented"))
    size = {"arch": "arm64", "vcpus": vcpus, "memory_gib": memory, "gpus": 0, "max_pods": 110}
    whole = capacity("oke", "documented", **size)  # type: ignore[arg-type]
    left = allocatable("oke", "documented", **size)  # type: ignore[arg-type]
    assert whole.cpu_millicores - sum(int(cpu) for cpu, _ in found) == left.cpu_millicores
    kept = sum(int(memory) for _, memory in found) + EVICTION_MIB
    assert whole.memory_bytes - kept * MIB == left.memory_bytes
