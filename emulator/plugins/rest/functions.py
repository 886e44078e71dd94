"""Pulumi's functions (data sources), asked of an emulated API."""

from collections.abc import Callable, Mapping
from typing import Any

from emulator.plugins.model import UnknownFunction, result_id_of
from emulator.plugins.rest.api import Api
from emulator.plugins.values import Properties

Function = Callable[[Api, Mapping[str, Any]], Properties]


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
    return {"id": result_id_of(token, args), **args, **function(api, completed)}
