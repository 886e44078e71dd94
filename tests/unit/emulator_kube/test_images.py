import re

import pytest

from emulator.kube.images import PROCESS_IMAGES, is_of, pattern, process_image


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("rightsize/provisioner", True),
        ("rightsize/provisioner:0.1.0", True),
        ("iad.ocir.io/tenancy/rightsize/provisioner:0.1.0", True),
        ("localhost:5000/rightsize/provisioner:latest", True),
        ("rightsize/provisioner@sha256:abc", True),
        ("rightsize/provisioner:1@sha256:abc", True),
        ("rightsize/provisioner-tools", False),
        ("wrightsize/provisioner", False),
        ("rightsize/provisioner/other", False),
        ("rightsize/load:0.1.0", False),
    ],
)
def test_registry_tag_and_digest_do_not_matter_but_the_name_does(image: str, expected: bool) -> None:
    assert is_of(image, "rightsize/provisioner") is expected


def test_dots_in_a_repository_are_only_dots() -> None:
    assert re.search(pattern("a.b/c"), "axb/c") is None


def test_the_provisioner_runs_as_a_module_with_the_containers_arguments() -> None:
    row = process_image("rightsize/provisioner:0.1.0", PROCESS_IMAGES)
    assert row is not None
    assert list(row.command(["run", "--once"]))[1:] == ["-m", "provisioner", "run", "--once"]


def test_other_images_are_kwoks() -> None:
    assert process_image("nginx", PROCESS_IMAGES) is None
