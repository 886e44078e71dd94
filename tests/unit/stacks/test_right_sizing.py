"""What a stack says that its nodes will be, by the provisioner's own choice."""

from decimal import Decimal

from stacks.right_sizing import Plans, plans
from tests.support.provision import GKE
from tests.support.settings import settings


def planned(**provisioner: float) -> Plans:
    changes = {f"provisioner.{key}": value for key, value in provisioner.items()}
    return plans(settings({"variant": "right-sized", **changes}, cloud="gke"), GKE, [])


def test_what_nodes_cost_beside_their_price_decides_for_few_and_is_not_in_the_price() -> None:
    many, few = planned().peak, planned(nodeOverheadPricePerHour=0.0068).peak
    assert len(few.nodes) == 1 < len(many.nodes)
    assert few.price_per_hour == Decimal("0.308") > many.price_per_hour
