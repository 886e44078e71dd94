"""The engine's view of a stack's settings, as the plain mapping that `settings.parse` takes."""

import json
from collections.abc import Mapping
from decimal import Decimal

import pulumi
from pulumi.runtime.config import CONFIG


def read() -> dict[str, object]:
    """Every key of the project, unknown ones too; objects and lists as such, numbers exactly."""
    prefix = f"{pulumi.get_project()}:"
    return {
        key.removeprefix(prefix): _value(text)
        for key, text in _everything().items()
        if key.startswith(prefix)
    }


def provider(package: str) -> dict[str, str]:
    """What the cloud's provider is told, without its prefix; what it takes from elsewhere is not here."""
    prefix = f"{package}:"
    return {key.removeprefix(prefix): text for key, text in _everything().items() if key.startswith(prefix)}


def _everything() -> Mapping[str, str]:
    found: Mapping[str, str] = CONFIG.get()
    return found


def _value(text: str) -> object:
    if not text.startswith(("{", "[")):
        return text
    try:
        value: object = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError:
        return text
    return value
