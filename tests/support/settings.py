"""Builders of stack settings: the smallest valid mapping, with overrides by dotted path."""

import copy
from typing import Any

from stacks.settings import Settings, parse

COMPARTMENT = "ocid1.compartment.oc1..test"
PROJECT = "emulated-project"

PUBLISHED_MODELS: dict[str, Any] = {
    "squeezenet1_1": {
        "gpu": {"cpu": "400m", "memory": "2G", "gpus": 1, "max_workers": 3},
        "right_sized": {"cpu": "400m", "memory": "1G", "max_workers": 4},
    },
    "vgg16": {
        "gpu": {"cpu": "400m", "memory": "4G", "gpus": 1, "max_workers": 3},
        "right_sized": {"cpu": "400m", "memory": "4G", "max_workers": 4},
    },
}

PUBLISHED_MODELS_GKE: dict[str, Any] = {
    "squeezenet1_1": {
        "gpu": {"cpu": "400m", "memory": "3G", "gpus": 1, "max_workers": 8},
        "right_sized": {"cpu": "400m", "memory": "1G", "max_workers": 4},
    },
    "vgg16": {
        "gpu": {"cpu": "400m", "memory": "4G", "gpus": 1, "max_workers": 7},
        "right_sized": {"cpu": "400m", "memory": "4G", "max_workers": 4},
    },
}

_SMALLEST: dict[str, Any] = {
    "variant": "max-sized",
    "region": "us-ashburn-1",
    "compartment": COMPARTMENT,
    "api": {"allowedCidrs": ["203.0.113.7/32"]},
    "models": PUBLISHED_MODELS,
}
_SMALLEST_GKE: dict[str, Any] = {
    **{key: value for key, value in _SMALLEST.items() if key != "compartment"},
    "region": "us-central1",
    "project": PROJECT,
    "models": PUBLISHED_MODELS_GKE,
}
_BY_CLOUD = {"oke": _SMALLEST, "gke": _SMALLEST_GKE}


def values(changes: dict[str, Any] | None = None, *, cloud: str = "oke") -> dict[str, Any]:
    """A valid mapping, changed at dotted paths such as `models.vgg16.gpu.memory`."""
    mapping = copy.deepcopy(_BY_CLOUD[cloud])
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        inner = mapping
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return mapping


def settings(changes: dict[str, Any] | None = None, *, cloud: str = "oke") -> Settings:
    """The settings of `values`."""
    return parse(values(changes, cloud=cloud))
