"""The emulated Artifact Registry: repositories of images, as a Pulumi plugin calls it."""

from typing import Any

import pytest

from emulator.gcp.account import PROJECT, REGION
from tests.support.google_cloud import Google

BASE = f"/v1/projects/{PROJECT}/locations/{REGION}/repositories"


def create(google: Google, name: str = "one", **changes: Any) -> Any:
    body = {"format": "DOCKER", "description": "Images", **changes}
    return google.call("POST", BASE, body, repositoryId=name)


def test_a_repository_says_where_images_are_pushed_until_it_is_deleted(google: Google) -> None:
    operation = create(google)
    assert operation["done"] is True
    assert operation["response"]["registryUri"] == f"{REGION}-docker.pkg.dev/{PROJECT}/one"
    assert [one["name"] for one in google.call("GET", BASE)["repositories"]] == [f"{BASE[4:]}/one"]
    google.call("DELETE", f"{BASE}/one")
    assert google.call("GET", f"{BASE}/one")["error"]["code"] == 404


def test_only_what_is_said_of_it_can_be_changed(google: Google) -> None:
    create(google)
    assert google.call("PATCH", f"{BASE}/one", {"description": "b"})["description"] == "b"
    assert google.call("PATCH", f"{BASE}/one", {"format": "NPM"})["error"]["code"] == 400


@pytest.mark.parametrize(
    ("name", "changes", "fault"),
    [
        ("One", {}, "repositoryId"),
        ("one", {"format": "NPM"}, "format"),
        ("one", {"colour": "red"}, "colour"),
    ],
)
def test_a_repository_that_cannot_be_is_refused(
    google: Google, name: str, changes: dict[str, Any], fault: str
) -> None:
    error = create(google, name, **changes)["error"]
    assert error["code"] == 400
    assert fault in error["message"]


def test_a_name_is_taken_once(google: Google) -> None:
    create(google)
    assert create(google)["error"]["code"] == 409
