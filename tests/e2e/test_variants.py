"""One stack, its variant switched in place in any order, then destroyed."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.cloud import Cloud, eventually, running_cloud

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

STACK = "oke"
EXPECTED = {
    "max-sized": {"VM.GPU2.1": 6},
    "dynamic": {"VM.GPU2.1": 2},
    "right-sized": {"VM.Standard.A1.Flex": 2},
}

ROUND = ["max-sized", "right-sized", "dynamic", "max-sized", "dynamic", "right-sized"]
"""Every switch from one variant to another but the one back to where the next destroy begins."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("variants") / "home") as cloud:
        yield cloud


def inference_shapes(cloud: Cloud) -> Counter[str]:
    """Shapes of the running instances, the two management ones apart."""
    found = Counter(str(each["shape"]) for each in cloud.instances())
    found.subtract({"VM.Standard.A1.Flex": 2})
    return +found


@pytest.mark.parametrize("variant", ROUND)
def test_a_switch_brings_exactly_the_nodes_of_the_variant(cloud: Cloud, variant: str) -> None:
    assert cloud.pulumi("config", "set", "variant", variant, "--stack", STACK).returncode == 0
    up = cloud.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr
    eventually(lambda: inference_shapes(cloud) == EXPECTED[variant], f"exactly {EXPECTED[variant]}")
    pods = cloud.items(STACK, "pods", "-n", "inference")
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}


def test_destroy_after_the_switches_leaves_nothing(cloud: Cloud) -> None:
    destroy = cloud.pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview")
    assert destroy.returncode == 0, destroy.stdout + destroy.stderr
    eventually(lambda: cloud.instances() == [], "no running instance on the bill", within_s=60)
