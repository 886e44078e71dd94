"""What a stack says that its nodes will be, by the provisioner's own choice."""

from decimal import Decimal
from typing import Any

import pytest

from catalog.offering import ON_DEMAND, SPOT
from stacks.right_sizing import Plans, plans
from tests.support.provision import GKE, OKE
from tests.support.settings import settings


def planned(cloud: str = "gke", **provisioner: Any) -> Plans:
    changes = {f"provisioner.{key}": value for key, value in provisioner.items()}
    return plans(
        settings({"variant": "right-sized", **changes}, cloud=cloud), {"gke": GKE, "oke": OKE}[cloud], []
    )


def test_what_nodes_cost_beside_their_price_decides_for_few_and_is_not_in_the_price() -> None:
    many, few = planned().peak, planned(nodeOverheadPricePerHour=0.0068).peak
    assert len(few.nodes) == 1 < len(many.nodes)
    assert few.price_per_hour == Decimal("0.308") > many.price_per_hour


@pytest.mark.parametrize("cloud", ["oke", "gke"])
def test_models_go_to_spot_where_a_stack_allows_it(cloud: str) -> None:
    spot = planned(cloud, capacityTypes=[ON_DEMAND, SPOT]).idle
    assert {node.size.offering.capacity_type for node in spot.nodes} == {SPOT}
    assert spot.price_per_hour < planned(cloud).idle.price_per_hour
