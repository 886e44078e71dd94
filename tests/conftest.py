"""How tests are spread over workers: a file stays together, one for each cloud it is run on."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group tests that share what takes long to make, for `--dist loadgroup`, which reads the groups next."""
    for item in items:
        cloud = getattr(getattr(item, "callspec", None), "params", {}).get("case", "")
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{cloud}" if cloud else item.path.stem))
