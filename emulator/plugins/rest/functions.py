"""Pulumi's functions (data sources), asked of an emulated API."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from emulator.plugins.rest.api import Api
from emulator.plugins.values import Properties

Function = Callable[[Api, Mapping[str, Any]], Properties]
_ID_DIGITS: Final = 12


class UnknownFunction(Exception):
    """The plugin does not know a function."""


def answer(
    functions: Mapping[str, Function],
    api: Api,
    token: str,
    args: Mapping[str, Any],
    completed: Mapping[str, Any],
) -> Properties:
    """What a function answers; its arguments come back beside it, as the official providers do it.

    `completed` are the arguments with what the provider itself says.

    Raises:
        UnknownFunction: naming the token and those that are known.
        ApiFault, Unreachable: the cloud does not answer it.
    """
    function = functions.get(token)
    if function is None:
        raise UnknownFunction(
            f"{token}: the emulated cloud has no such function; it has {', '.join(sorted(functions))}"
        )
    digits = hashlib.sha256(str(sorted(args.items())).encode()).hexdigest()[:_ID_DIGITS]
    return {"id": f"{token.rpartition(':')[2]}-{digits}", **args, **function(api, completed)}
