"""What the provider itself is told: project and place of everything, and labels."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.plugins.values import Properties

_ENVIRONMENT: Final[Mapping[str, tuple[str, ...]]] = {
    "project": ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    "region": ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
    "zone": ("GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"),
}
"""Where the official provider looks for what neither program nor stack say."""
_ATTRIBUTION: Final = {"goog-pulumi-provisioned": "true"}
"""The label by which Google and its users know what Pulumi made."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The provider's own inputs, as far as they concern the emulated cloud."""

    project: str = ""
    region: str = ""
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: dict(_ATTRIBUTION))
    """Of everything that can carry labels."""

    @classmethod
    def of(cls, inputs: Mapping[str, Any], variables: Mapping[str, str]) -> "Settings":
        """From the program's provider, the stack's configuration, the environment, in this order."""

        def told(name: str) -> Any:
            values = (inputs.get(name), variables.get(f"gcp:config:{name}"))
            return next((value for value in (*values, *_environment(name)) if value not in {None, ""}), None)

        return cls(
            project=str(told("project") or ""),
            region=str(told("region") or ""),
            zone=str(told("zone") or ""),
            labels=_labels(told("addPulumiAttributionLabel"), inputs, variables),
        )

    def place(self, given: Properties, names: Iterable[str]) -> Properties:
        """Inputs with those of the places that they leave to the provider."""
        region = self.region or self.zone.rpartition("-")[0]
        places = {
            "project": self.project,
            "region": region,
            "location": _location(given) or self.zone or region,
        }
        kept = {name: value for name, value in given.items() if value is not None}
        return {**{name: places[name] for name in names if places[name]}, **kept}


def _location(given: Mapping[str, Any]) -> str:
    """The location in the id of a cluster, where that is what the program gives."""
    _, _, rest = str(given.get("cluster", "")).partition("/locations/")
    return rest.partition("/")[0]


def _environment(name: str) -> Iterator[str | None]:
    return (os.environ.get(variable) for variable in _ENVIRONMENT.get(name, ()))


def _labels(attribution: Any, inputs: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, str]:
    """The labels of everything; nested values of a configuration come as JSON."""
    wanted = str(attribution).lower() != "false"
    given = inputs.get("defaultLabels") or variables.get("gcp:config:defaultLabels") or {}
    defaults = json.loads(given) if isinstance(given, str) else given
    return {**(_ATTRIBUTION if wanted else {}), **defaults}
