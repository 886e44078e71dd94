"""Finds the model of a token, of whatever cloud it is."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.model import gcp, oci
from emulator.plugins.model.contract import Function, ResourceModel
from emulator.plugins.model.derived import digest
from emulator.plugins.model.values import Properties, given

RESOURCES: Final[Mapping[str, ResourceModel]] = {**oci.RESOURCES, **gcp.RESOURCES}
FUNCTIONS: Final[Mapping[str, Function]] = {**oci.FUNCTIONS, **gcp.FUNCTIONS}


class UnknownResource(Exception):
    """The emulated clouds do not know a type of resource."""


class UnknownFunction(Exception):
    """The emulated clouds do not know a function."""


def outputs_of(token: str, inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Everything a healthy resource shows: its inputs, the cloud's defaults, what it computes.

    Raises:
        UnknownResource: naming the token and those that are known.
    """
    return _model(token).outputs(inputs, resource_id)


def id_of(token: str, inputs: Mapping[str, Any], name: str) -> str:
    """The id that a resource with these inputs and that logical name may have.

    Raises:
        UnknownResource: naming the token and those that are known.
    """
    return _model(token).id_of(inputs, name)


def kind_of(token: str) -> str:
    """The cloud's short word for a type of resource, in OCIDs for example `nodepool`.

    Raises:
        UnknownResource: naming the token and those that are known.
    """
    return _model(token).kind


def invoke_of(token: str, args: Mapping[str, Any]) -> Properties:
    """What a function answers in a fresh region with one healthy cluster.

    Arguments come back beside the result, as the official providers return them.

    Raises:
        UnknownFunction: naming the token and those that are known.
    """
    function = FUNCTIONS.get(token)
    if function is None:
        raise UnknownFunction(
            f"{token}: the emulated cloud has no such function; it has {_of(token, FUNCTIONS)}"
        )
    return given({"id": result_id_of(token, args), **args, **function(args)})


def result_id_of(token: str, args: Mapping[str, Any]) -> str:
    """The id of what a function answers to these arguments."""
    return f"{token.rpartition(':')[2]}-{digest(str(sorted(args.items())), 12)}"


def _model(token: str) -> ResourceModel:
    try:
        return RESOURCES[token]
    except KeyError:
        raise UnknownResource(
            f"{token}: the emulated cloud has no such resource; it has {_of(token, RESOURCES)}"
        ) from None


def _of(token: str, known: Mapping[str, Any]) -> str:
    """The tokens of the same cloud."""
    cloud = token.partition(":")[0]
    return ", ".join(sorted(one for one in known if one.startswith(f"{cloud}:"))) or "nothing of that cloud"
