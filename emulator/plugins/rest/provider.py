"""A provider that keeps nothing: everything stands in an emulated cloud, behind a handler a type."""
# ruff: noqa: D102 -- the methods are described where they are declared

import hashlib
import importlib.metadata
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Final

from emulator.plugins.differences import Difference
from emulator.plugins.model import UnknownFunction, outputs_of
from emulator.plugins.model.values import laid_over
from emulator.plugins.provider import Change, Checked, Found, InitFailed, Made, Provider, Refused, Request
from emulator.plugins.rest.api import Api, ApiFault, Unreachable
from emulator.plugins.rest.functions import Function, answer
from emulator.plugins.rest.handler import HalfMade, Handler, unless_gone
from emulator.plugins.rest.waiting import Unfinished, patiently
from emulator.plugins.values import Properties

_DIGITS: Final = 7


class RestProvider(Provider):
    """Serves each type of resource by its handler; outputs are the model's, the API's laid over them."""

    handlers: Mapping[str, Handler]
    """By token."""
    functions: Mapping[str, Function]
    """By token."""

    def __init__(self, distribution: str, api: Api) -> None:
        """Begin.

        Args:
            distribution: of the SDK whose version this provider is.
            api: the cloud.
        """
        self.version = importlib.metadata.version(distribution)
        self._api = api

    def configure(self, inputs: Properties, variables: Mapping[str, str]) -> None:
        """Nothing, where there is one account and one region."""

    def completed(self, token: str, inputs: Properties) -> Properties:
        """Inputs of a resource or function with what the provider itself says of all of them."""
        del token
        return inputs

    def stem(self, logical_name: str) -> str:
        """What a name that the provider makes up begins with."""
        return logical_name

    def check(self, request: Request, old: Properties, new: Properties, seed: bytes) -> Checked:
        handler = self._handler(request.token)
        faults = handler.faults(new)
        if not handler.named or new.get("name") is not None:
            return Checked(new, faults)
        kept = str(old.get("name", ""))
        digits = hashlib.sha256(seed + request.urn.encode()).hexdigest()[:_DIGITS]
        stem = self.stem(request.name)
        name = kept if _is_made_up(kept, stem) else f"{stem}-{digits}"
        return Checked({**new, "name": name}, faults)

    def diff(self, request: Request, change: Change) -> Difference:
        handler = self._handler(request.token)
        name = str(change.inputs.get("name", ""))
        kept = name == change.old_inputs.get("name") and not _is_made_up(name, self.stem(request.name))
        return Difference(handler.changes(change), handler.unique_name and kept)

    def create(self, request: Request, inputs: Properties) -> Made:
        handler = self._handler(request.token)
        if request.preview:
            return Made("", inputs)
        given = self.completed(request.token, inputs)
        with self._told(request, handler, inputs):
            resource_id = handler.create(self._api, request, given)
        return Made(resource_id, self._outputs(request, handler, resource_id, inputs))

    def read(self, request: Request, inputs: Properties, outputs: Properties) -> Found | None:
        handler = self._handler(request.token)
        if not inputs:
            raise Refused(f"{request.token} {request.id}: the emulated cloud cannot import resources")
        live: Properties = {}
        with _refusals():
            if not unless_gone(lambda: live.update(self._live(request, handler, request.id))):
                return None
        live |= {name: outputs[name] for name in handler.of_others if name in outputs}
        now = handler.read_back(inputs, live)
        return Found(
            request.id, _shown(request.token, self.completed(request.token, now), request.id, live), now
        )

    def update(self, request: Request, change: Change) -> Properties:
        handler = self._handler(request.token)
        if request.preview:
            return laid_over(change.outputs, change.inputs)
        given = self.completed(request.token, change.inputs)
        whole = replace(change, old_inputs=self.completed(request.token, change.old_inputs), inputs=given)
        with self._told(request, handler, change.inputs):
            handler.update(self._api, request, whole)
        return self._outputs(request, handler, request.id, change.inputs)

    def delete(self, request: Request, inputs: Properties, outputs: Properties) -> None:
        handler = self._handler(request.token)
        state = self.completed(request.token, {**outputs, **inputs})
        with _refusals():
            unless_gone(lambda: handler.delete(self._api, request, state))

    def invoke(self, token: str, args: Properties) -> Properties:
        with _refusals():
            return answer(self.functions, self._api, token, args, self.completed(token, args))

    def _handler(self, token: str) -> Handler:
        try:
            return self.handlers[token]
        except KeyError:
            known = ", ".join(sorted(self.handlers))
            raise Refused(f"{token}: the emulated cloud has no such resource; it has {known}") from None

    def _live(self, request: Request, handler: Handler, resource_id: str) -> Properties:
        return patiently(request, lambda: handler.read(self._api, resource_id))

    def _outputs(
        self, request: Request, handler: Handler, resource_id: str, inputs: Properties
    ) -> Properties:
        """What it shows; even when that cannot be read, it must not be forgotten."""
        try:
            live = self._live(request, handler, resource_id)
        except (ApiFault, Refused, Unreachable) as fault:
            raise InitFailed(Made(resource_id, inputs), inputs, [str(fault)]) from fault
        return _shown(request.token, self.completed(request.token, inputs), resource_id, live)

    @contextmanager
    def _told(self, request: Request, handler: Handler, inputs: Properties) -> Iterator[None]:
        """Tell the engine of faults, and of what is there in spite of them."""
        with _refusals():
            try:
                yield
            except HalfMade as fault:
                made = Made(fault.id, self._half(replace(request, cancelled=Event()), handler, inputs, fault))
                raise InitFailed(made, inputs, [fault.reason]) from fault

    def _half(self, request: Request, handler: Handler, inputs: Properties, fault: HalfMade) -> Properties:
        """What it shows so far, as long as there is anything."""
        try:
            return self._outputs(request, handler, fault.id, inputs)
        except InitFailed as unread:
            if isinstance(unread.__cause__, ApiFault) and unread.__cause__.gone:
                raise Refused(fault.reason) from fault
            return inputs


@contextmanager
def _refusals() -> Iterator[None]:
    """What the cloud refuses, in the form that the engine is told it."""
    try:
        yield
    except (ApiFault, Unfinished, UnknownFunction, Unreachable) as fault:
        raise Refused(str(fault)) from fault


def _is_made_up(name: str, stem: str) -> bool:
    """Whether a name is of the provider's making."""
    return re.fullmatch(rf"{re.escape(stem)}-[0-9a-f]{{{_DIGITS}}}", name) is not None


def _shown(token: str, inputs: Properties, resource_id: str, live: Properties) -> Properties:
    """Outputs by the model, with what the cloud itself says laid over them."""
    model = outputs_of(token, inputs, resource_id)
    return laid_over(model, {name: value for name, value in live.items() if name in model})
