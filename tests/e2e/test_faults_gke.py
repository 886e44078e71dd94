"""The right-sized stack on GKE, when its cloud goes wrong."""

from collections.abc import Iterator

import pytest

from tests.support.adversity import Adversity
from tests.support.right_sized import GKE, Stack, brought_up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from brought_up(GKE, tmp_path_factory.mktemp("faults-gke") / "home")


class TestGke(Adversity):
    pass
