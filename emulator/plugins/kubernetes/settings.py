"""The provider's own inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Settings:
    """How a program configured the provider."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = "default"
    """For objects that name none."""
    mutable: frozenset[str] = frozenset()
    """Kinds whose data is changed in place: ConfigMap, Secret."""
    delete_unreachable: bool = False
    """Forget the objects of an API server that does not answer."""


_MUTABLE = {"enableConfigMapMutable": "ConfigMap", "enableSecretMutable": "Secret"}


def settings_of(
    inputs: Mapping[str, Any], variables: Mapping[str, str], environment: Mapping[str, str]
) -> Settings:
    """Settings from the provider's inputs, else the stack's configuration, else the environment."""

    def value(name: str) -> str:
        given = inputs.get(name)
        if given is None:
            given = variables.get(f"kubernetes:config:{name}", "")
        return str(given).lower() if isinstance(given, bool) else str(given)

    unreachable = value("deleteUnreachable") or environment.get("PULUMI_K8S_DELETE_UNREACHABLE", "")
    return Settings(
        kubeconfig=value("kubeconfig"),
        context=value("context"),
        namespace=value("namespace") or "default",
        mutable=frozenset(kind for name, kind in _MUTABLE.items() if value(name) == "true"),
        delete_unreachable=unreachable.lower() == "true",
    )
