"""Carries Google's APIs over HTTP: routes, authentication, authorization, errors."""

import json
import logging
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.cloud.errors import ApiError
from emulator.cloud.fault import COMPUTE, CONTAINER, IDENTITY, NETWORK
from emulator.cloud.faults import Meeting
from emulator.cloud.http import METHODS, Answer, Dropped, changes, is_list, received, response, route
from emulator.cloud.past import Past
from emulator.gcp import container_api
from emulator.gcp.account import PROJECT, PROJECT_NUMBER
from emulator.gcp.authentication import exchange, principal_of
from emulator.gcp.errors import (
    TROUBLES,
    GoogleError,
    body_of,
    denied,
    invalid,
    not_found,
    resource_not_found,
)
from emulator.gcp.group_api import GroupApi
from emulator.gcp.http import Call, Endpoint
from emulator.gcp.iam_api import IamApi
from emulator.gcp.network_api import NetworkApi
from emulator.gcp.places_api import PlacesApi
from emulator.gcp.policies import PROJECT_RESOURCE
from emulator.gcp.registry_api import RegistryApi
from emulator.gcp.world import World

LOG: Final = logging.getLogger(__name__)
TOKEN_PATH: Final = "/token"  # noqa: S105 - the path of the endpoint that gives out tokens
_COMPUTE: Final = "/compute/v1"
_OTHERS: Final = "/v1"


class Server:
    """Google's APIs as routes of a web server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._past: Past[Answer] = Past()

    def routes(self) -> list[Route]:
        """One route for each operation, and one for all others below each API."""
        world = self._world
        endpoints = (
            *(replace(each, service=CONTAINER) for each in container_api.endpoints(world)),
            *(replace(each, service=COMPUTE) for each in GroupApi(world).endpoints()),
            *(replace(each, service=COMPUTE) for each in PlacesApi(world).endpoints()),
            *(replace(each, service=NETWORK) for each in NetworkApi(world).endpoints()),
            *(replace(each, service=IDENTITY) for each in IamApi(world).endpoints()),
            *RegistryApi(world).endpoints(),
        )
        return [
            route(TOKEN_PATH, ["POST"], self._token),
            *(self._route(endpoint) for endpoint in endpoints),
            *(route(f"{base}/{{path:path}}", METHODS, _unknown) for base in (_COMPUTE, _OTHERS)),
        ]

    def _route(self, endpoint: Endpoint) -> Route:
        modifies = changes(endpoint.method, endpoint.path)

        def answer(request: Request, body: bytes) -> Response:
            meeting = self._meeting(endpoint.service, changes=modifies)
            if meeting.trouble is not None:
                return response(_trouble(meeting.trouble))
            answered = response(self._answer(endpoint, request, body))
            return Dropped() if meeting.loses_reply else answered

        return route(endpoint.path, [endpoint.method], answer)

    def _meeting(self, service: str, *, changes: bool) -> Meeting:
        return self._world.faults.meeting(service, self._world.clock.now(), changes=changes)

    def _token(self, _request: Request, body: bytes) -> Response:
        meeting = self._meeting(IDENTITY, changes=False)
        if meeting.trouble is not None:
            return response(_trouble(meeting.trouble))
        with self._world.lock:
            return response(exchange(body, self._world.tokens, self._world.clock.now()))

    def _answer(self, endpoint: Endpoint, request: Request, body: bytes) -> Answer:
        try:
            with self._world.lock:
                call = self._call(request, body)
                self._authorize(endpoint, call)
                return self._as_it_was(endpoint, call, endpoint.handler(call))
        except ApiError as refusal:
            LOG.info(
                "%s %s: %d %s: %s", request.method, request.url.path, refusal.status, refusal.code, refusal
            )
            return _refusal(refusal)
        except Exception as bug:
            LOG.exception("%s %s", request.method, request.url.path)
            text = f"a bug of the emulator: {type(bug).__name__}: {bug}"
            return _refusal(GoogleError(500, "INTERNAL", text))

    def _as_it_was(self, endpoint: Endpoint, call: Call, answer: Answer) -> Answer:
        """A list may be behind what there is."""
        if not is_list(endpoint.method, endpoint.path):
            return answer
        asked = f"{call.path}?{sorted(call.query.items())}"
        return self._past.shown(asked, answer, self._world.faults, self._world.clock.now())

    def _call(self, request: Request, body: bytes) -> Call:
        plain = received(request, _parsed(body))
        principal = principal_of(plain.headers, self._world.tokens, self._world.clock.now())
        return Call(
            plain.method, plain.path, plain.parameters, plain.query, plain.headers, plain.body, principal
        )

    def _authorize(self, endpoint: Endpoint, call: Call) -> None:
        """Refuse a caller whom no policy lets do this; a line in the log says what is missing."""
        project = call.parameters.get("project", PROJECT)
        if project not in {PROJECT, PROJECT_NUMBER}:
            raise resource_not_found(f"projects/{project}")
        caller, permission = call.principal, endpoint.permission
        if caller.owns_everything or not permission:
            return
        own = [endpoint.account(call)] if endpoint.account is not None else []
        if self._world.policies.allow(caller.member, permission, PROJECT_RESOURCE, *own):
            return
        LOG.warning(
            "%s %s: %s lacks %s in project %s; give it a role that has this permission",
            call.method,
            call.path,
            caller.member,
            permission,
            PROJECT,
        )
        raise denied(
            f"Required '{permission}' permission for '{call.path.partition('/v1/')[2]}' "
            f"({caller.email} does not have it)"
        )


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as fault:
        raise invalid(f"Invalid JSON payload received. {fault}") from None


def _refusal(refusal: ApiError) -> Answer:
    return Answer(body_of(refusal), status=refusal.status)


def _trouble(count: int) -> Answer:
    return _refusal(TROUBLES[count % len(TROUBLES)])


def _unknown(request: Request, _body: bytes) -> Response:
    return response(_refusal(not_found(f"{request.method} {request.url.path}")))
