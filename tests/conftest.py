"""How tests are spread over workers: a file stays together, one for each cloud it is run on."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Group tests that share what takes long to make, before `--dist loadgroup` reads the groups."""
    cloud = getattr(getattr(item, "callspec", None), "params", {}).get("case", "")
    item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{cloud}" if cloud else item.path.stem))
