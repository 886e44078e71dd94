"""The right-sized stack on OKE, when its cloud goes wrong."""

from collections.abc import Iterator

import pytest

from tests.support.adversity import Adversity
from tests.support.right_sized import OKE, Stack, brought_up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from brought_up(OKE, tmp_path_factory.mktemp("faults-oke") / "home")


class TestOke(Adversity):
    pass
