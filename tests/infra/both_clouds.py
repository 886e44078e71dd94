"""What stacks of both clouds must do alike is tried on both."""

from collections.abc import Callable

import pytest

from tests.support.mocks import Cloud
from tests.support.stacks import run, run_gke

SECRET = "kubernetes:core/v1:Secret"

Run = Callable[..., Cloud]
BOTH = pytest.mark.parametrize("build", [run, run_gke], ids=["oke", "gke"])
