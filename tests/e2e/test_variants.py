"""One stack of each cloud, its variant switched in place, then destroyed.

Together the two make every switch from one variant to another.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.cloud import Cloud, eventually, running_cloud

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Case:
    """A stack, its static nodes, its switches, and the nodes each variant has beside the static ones."""

    stack: str
    management: str
    switches: tuple[str, ...]
    nodes: dict[str, dict[str, int]]

    def __str__(self) -> str:
        return self.stack


OKE = Case(
    "oke",
    "VM.Standard.A1.Flex",
    ("max-sized", "right-sized", "dynamic", "max-sized"),
    {
        "max-sized": {"VM.GPU2.1": 6},
        "dynamic": {"VM.GPU2.1": 2},
        "right-sized": {"VM.Standard.A2.Flex": 1},
    },
)
GKE = Case(
    "gke",
    "t2a-standard-2",
    ("max-sized", "dynamic", "right-sized", "max-sized"),
    {
        "max-sized": {"n1-standard-2+t4x1": 15},
        "dynamic": {"n1-standard-2+t4x1": 2},
        "right-sized": {"n4a-standard-2": 1},
    },
)


@pytest.fixture(scope="module", params=[OKE, GKE], ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(scope="module")
def cloud(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp(case.stack) / "home") as cloud:
        yield cloud


def test_switches_bring_exactly_the_nodes_of_the_variant(case: Case, cloud: Cloud) -> None:
    def inference_nodes() -> Counter[str]:
        found = Counter(str(each["shape"]) for each in cloud.instances())
        found.subtract({case.management: 2})
        return +found

    for variant in case.switches:
        assert cloud.pulumi("config", "set", "variant", variant, "--stack", case.stack).returncode == 0
        up = cloud.pulumi("up", "--stack", case.stack, "--yes", "--skip-preview")
        assert up.returncode == 0, up.stdout + up.stderr
        wanted = case.nodes[variant]
        eventually(lambda wanted=wanted: inference_nodes() == wanted, f"{variant}: exactly {wanted}")  # type: ignore[misc]
        pods = cloud.items(case.stack, "pods", "-n", "inference")
        assert {pod["status"]["phase"] for pod in pods} == {"Running"}


def test_destroy_after_the_switches_leaves_nothing(case: Case, cloud: Cloud) -> None:
    destroy = cloud.pulumi("destroy", "--stack", case.stack, "--yes", "--skip-preview")
    assert destroy.returncode == 0, destroy.stdout + destroy.stderr
    eventually(lambda: cloud.instances() == [], "no running instance on the bill", within_s=60)
