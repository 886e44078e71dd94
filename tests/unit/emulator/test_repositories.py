"""The emulated container repositories, through the real SDK."""

from typing import Any

import oci
import pytest

from emulator.oci import account
from tests.support.oracle import Oracle

models = oci.artifacts.models
NAME = "one/rightsize/serving"


def details(name: str = NAME) -> Any:
    return models.CreateContainerRepositoryDetails(compartment_id=account.COMPARTMENT, display_name=name)


def test_a_repository_is_private_and_empty_until_it_is_deleted(oracle: Oracle) -> None:
    client = oracle.artifacts()
    made = client.create_container_repository(details()).data
    assert (made.is_public, made.image_count, made.namespace) == (False, 0, account.NAMESPACE)
    listed = client.list_container_repositories(account.COMPARTMENT, display_name=NAME).data
    assert [one.id for one in listed.items] == [made.id]
    client.delete_container_repository(made.id)
    assert client.list_container_repositories(account.COMPARTMENT).data.items == []


def test_what_can_be_changed_is_and_the_name_is_not_taken_twice(oracle: Oracle) -> None:
    client = oracle.artifacts()
    made = client.create_container_repository(details()).data
    changes = models.UpdateContainerRepositoryDetails(is_immutable=True)
    assert client.update_container_repository(made.id, changes).data.is_immutable
    with pytest.raises(oci.exceptions.ServiceError, match="already") as refusal:
        client.create_container_repository(details())
    assert refusal.value.status == 409
