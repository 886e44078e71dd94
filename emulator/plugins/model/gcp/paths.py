"""Ids and links of Google Cloud's resources: paths made of what they are called."""

from collections.abc import Callable, Mapping
from typing import Any

from emulator.plugins.model.gcp.region import PROJECT, REGION

IdOf = Callable[[Mapping[str, Any], str], str]
"""From inputs and logical name to an id."""


def path(template: str) -> IdOf:
    """The id by a template over the inputs; `name` is the logical one where none is given."""

    def id_of(inputs: Mapping[str, Any], name: str) -> str:
        place = {"project": PROJECT, "region": REGION, "location": REGION, "name": name}
        return template.format_map({**place, **inputs, "cluster": last(str(inputs.get("cluster", "")))})

    return id_of


def last(text: str) -> str:
    """A resource's own name out of its path or link."""
    return text.rsplit("/", 1)[-1]


def email_of(inputs: Mapping[str, Any]) -> str:
    """Address of a service account."""
    return f"{inputs.get('accountId')}@{inputs.get('project', PROJECT)}.iam.gserviceaccount.com"


def account_path(inputs: Mapping[str, Any], _name: str) -> str:
    """The id of a service account."""
    return f"projects/{inputs.get('project', PROJECT)}/serviceAccounts/{email_of(inputs)}"
