"""Runs the project's own program against the mocks."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.support import google_project, oracle_tenancy
from tests.support.mocks import Cloud, declare
from tests.support.settings import values

PROGRAM = Path(__file__).parents[2] / "__main__.py"
GOOGLES = {"gcp:accessToken": "a-token"}
ORACLES = {
    "oci:tenancyOcid": "ocid1.tenancy.oc1..test",
    "oci:userOcid": "ocid1.user.oc1..test",
    "oci:fingerprint": "aa:bb",
    "oci:region": "us-ashburn-1",
    "oci:privateKey": "a-key",
}


def run(
    changes: Mapping[str, Any] | None = None,
    *,
    stack: str = "oke",
    cloud: Cloud | None = None,
    tenancy: oracle_tenancy.Tenancy | None = None,
    provider: Mapping[str, str] | None = None,
) -> Cloud:
    """Run `__main__.py` with the smallest valid settings of OKE, changed at dotted paths.

    The tenancy has room for everything unless another one is given.
    """
    found = tenancy or oracle_tenancy.Tenancy()
    with patch("stacks.oke_survey.survey", found.survey):
        return _run(values(dict(changes or {})), stack, cloud, ORACLES if provider is None else provider)


def run_gke(
    changes: Mapping[str, Any] | None = None,
    *,
    stack: str = "gke",
    cloud: Cloud | None = None,
    project: google_project.Project | None = None,
    provider: Mapping[str, str] | None = None,
) -> Cloud:
    """The same with those of GKE, in a project with room for everything unless another one is given."""
    found = project or google_project.Project()
    with patch("stacks.gke_survey.survey", found.survey):
        return _run(values(dict(changes or {}), cloud="gke"), stack, cloud, {**GOOGLES, **(provider or {})})


def _run(settings: Mapping[str, Any], stack: str, cloud: Cloud | None, more: Mapping[str, Any]) -> Cloud:
    config = {f"rightsize:{key}": value for key, value in settings.items()} | dict(more)
    return declare(lambda: runpy.run_path(str(PROGRAM)) and None, stack=stack, config=config, cloud=cloud)
