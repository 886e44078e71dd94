"""What a cloud's settings become: its driver, and a catalog of what can be had there."""

import pytest
from google.auth.credentials import AnonymousCredentials

from provisioner import startup
from provisioner.drivers.gke import GkeDriver
from provisioner.settings import parse
from tests.unit.provisioner.test_settings import COMMON, text


def test_every_cloud_that_has_settings_has_a_driver() -> None:
    for cloud in startup._DRIVERS:
        assert parse(text(cloud)).cloud == cloud


def test_a_gke_driver_sells_what_its_region_has_in_its_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner.drivers.gke_client.ambient", AnonymousCredentials)
    settings = parse(text("gke", region="us-central1"))
    driver, catalog = startup._DRIVERS[settings.cloud](settings)
    assert isinstance(driver, GkeDriver)
    assert {zone for each in catalog.offerings for zone in each.zones} == {"us-central1-a"}
    assert {each.region for each in catalog.offerings} == {"us-central1"} != {COMMON["region"]}
    assert (catalog.cloud, catalog.accounting) == ("gke", "documented")
