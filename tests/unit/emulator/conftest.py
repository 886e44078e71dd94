from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.oracle import Ground, Oracle, cluster_details, ground, running_oracle


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[Oracle]:
    with running_oracle(tmp_path) as oracle:
        yield oracle


@pytest.fixture
def place(oracle: Oracle) -> Ground:
    return ground(oracle)


@pytest.fixture
def cluster(oracle: Oracle, place: Ground) -> str:
    return oracle.succeeded(oracle.engine().create_cluster(cluster_details(place)))
