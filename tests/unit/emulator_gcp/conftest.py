from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.google_cloud import Google, a_cluster, running_google


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    with running_google(tmp_path) as google:
        yield google


@pytest.fixture
def cluster(google: Google) -> str:
    return a_cluster(google)
