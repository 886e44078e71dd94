"""How many volumes machines take."""

import pytest

from catalog import volumes


@pytest.mark.parametrize(
    ("machine_type", "vcpus", "most"),
    [
        ("n1-standard-1", 1, 127),
        ("t2a-standard-48", 48, 127),
        ("e2-medium", 2, 15),
        ("e2-standard-2", 2, 127),
        ("c4a-standard-1", 1, 7),
        ("c4a-standard-4", 4, 15),
        ("c4a-standard-72", 72, 63),
        ("c4-standard-192", 192, 127),
        ("c4d-standard-32", 32, 31),
        ("n4-standard-16", 16, 31),
        ("n4a-standard-2", 2, 3),
        ("n4a-standard-4", 4, 7),
        ("n4a-standard-8", 8, 15),
        ("n4a-standard-64", 64, 31),
        ("c3-standard-4", 4, 127),
    ],
)
def test_google_machines_take_as_many_as_the_driver_says(machine_type: str, vcpus: int, most: int) -> None:
    assert volumes.limits(machine_type, vcpus)[volumes.attachments(volumes.GOOGLE)] == most


def test_oracle_machines_of_every_shape_take_32() -> None:
    for shape in ("VM.Standard.A1.Flex", "VM.GPU2.1"):
        assert volumes.limits(shape, 2)[volumes.attachments(volumes.ORACLE)] == 32


def test_volumes_are_told_from_other_amounts_by_name() -> None:
    assert all(map(volumes.are_attachments, volumes.limits("any", 1)))
    assert not volumes.are_attachments("ephemeral-storage")
