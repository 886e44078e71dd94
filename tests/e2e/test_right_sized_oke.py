"""The right-sized stack on OKE, over its whole life."""

from collections.abc import Iterator

import pytest

from tests.support.right_sized import OKE, Life, Stack, brought_up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from brought_up(OKE, tmp_path_factory.mktemp("right-sized-oke") / "home")


class TestOke(Life):
    pass
