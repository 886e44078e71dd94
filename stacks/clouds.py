"""The one place that chooses between clouds; an SDK is imported only where its cloud is meant."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from stacks.assembly import Exports
from stacks.dialect import GKE, OKE
from stacks.settings import Settings


def build(stack: str, settings: Settings) -> Exports:
    """Declare a stack on the cloud of its settings.

    Raises:
        StackError: when the settings cannot be met; nothing is declared then.
    """
    return _BUILDERS[settings.cloud](stack, settings, settings.site)


def _oke(*arguments: Any) -> Exports:
    from stacks import oke

    return oke.build(*arguments)


def _gke(*arguments: Any) -> Exports:
    from stacks import gke

    return gke.build(*arguments)


_BUILDERS: Final[Mapping[str, Callable[..., Exports]]] = MappingProxyType({OKE: _oke, GKE: _gke})
