"""Carries the OCI APIs over HTTP: routes, authentication, authorization, errors, retry tokens."""

import hashlib
import json
import logging
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.cloud.errors import ApiError
from emulator.cloud.fault import COMPUTE, CONTAINER
from emulator.cloud.http import METHODS, Answer, Dropped, changes, is_list, received, response, route
from emulator.cloud.past import Past
from emulator.oci import artifacts_api, core_api, engine_api, limits_api
from emulator.oci.authentication import Signed, principal_of
from emulator.oci.errors import TROUBLES, not_found
from emulator.oci.http import Call, Endpoint
from emulator.oci.tokens import Tokens
from emulator.oci.world import World

LOG: Final = logging.getLogger(__name__)
_RETRY_TOKEN: Final = "opc-retry-token"  # noqa: S105 - the name of a header
_REQUEST_ID: Final = "opc-request-id"
_YAML: Final = "application/x-yaml"


class Server:
    """The OCI APIs as routes of a web server."""

    def __init__(self, world: World, tokens: Tokens) -> None:
        self._world = world
        self._tokens = tokens
        self._answers: dict[str, tuple[str, Answer]] = {}
        self._past: Past[Answer] = Past()

    def routes(self) -> list[Route]:
        """One route for each operation."""
        world = self._world
        endpoints = (
            *(replace(each, service=CONTAINER) for each in engine_api.Engine(world).endpoints()),
            *core_api.Core(world).endpoints(),
            *artifacts_api.Artifacts(world).endpoints(),
            *(replace(each, service=COMPUTE) for each in limits_api.Limits(world).endpoints()),
        )
        return [self._route(endpoint) for endpoint in endpoints]

    def fallbacks(self) -> list[Route]:
        """One route for all below each API that no other route serves."""
        return [
            route(f"{base}/{{path:path}}", METHODS, self._unknown)
            for base in (engine_api.BASE, core_api.BASE, limits_api.BASE)
        ]

    def _unknown(self, request: Request, _body: bytes) -> Response:
        """The answer to what no route serves."""
        fault = not_found(f"{request.method} {request.url.path}")
        return self._response(_refusal(fault), request)

    def _route(self, endpoint: Endpoint) -> Route:
        modifies = changes(endpoint.method, endpoint.path)

        def answer(request: Request, body: bytes) -> Response:
            now = self._world.clock.now()
            meeting = self._world.faults.meeting(endpoint.service, now, changes=modifies)
            if meeting.trouble is not None:
                return self._response(_refusal(TROUBLES[meeting.trouble % len(TROUBLES)]), request)
            answered = self._response(self._answer(endpoint, request, body), request)
            return Dropped() if meeting.loses_reply else answered

        return route(endpoint.path, [endpoint.method], answer)

    def _response(self, answer: Answer, request: Request) -> Response:
        request_id = request.headers.get(_REQUEST_ID) or self._world.ids.token(32).upper()
        return response(replace(answer, headers={**answer.headers, _REQUEST_ID: request_id}), _YAML)

    def _answer(self, endpoint: Endpoint, request: Request, body: bytes) -> Answer:
        try:
            call = self._call(request, body)
            with self._world.lock:
                self._authorize(endpoint, call)
                return self._as_it_was(endpoint, call, self._once(endpoint, call, body))
        except ApiError as refusal:
            LOG.info(
                "%s %s: %d %s: %s", request.method, request.url.path, refusal.status, refusal.code, refusal
            )
            return _refusal(refusal)
        except Exception as bug:
            LOG.exception("%s %s", request.method, request.url.path)
            return _refusal(
                ApiError(500, "InternalServerError", f"a bug of the emulator: {type(bug).__name__}: {bug}")
            )

    def _call(self, request: Request, body: bytes) -> Call:
        call = received(request, _parsed(body))
        target = request.scope.get("raw_path", request.url.path.encode()).decode()
        query = f"?{request.url.query}" if request.url.query else ""
        signed = Signed(request.method, target + query, call.headers, body)
        principal = principal_of(signed, self._tokens, self._world.clock.now())
        return Call(call.method, call.path, call.parameters, call.query, call.headers, call.body, principal)

    def _authorize(self, endpoint: Endpoint, call: Call) -> None:
        """Refuse a workload that no policy lets do this; a line in the log says which statement is missing."""
        workload = call.principal.workload
        if workload is None:
            return
        compartment = endpoint.compartment_of(call) if endpoint.compartment_of is not None else None
        if endpoint.needs and compartment is not None:
            missing = [
                need
                for need in (*endpoint.needs, *endpoint.more_needs(call))
                if not self._world.grants(workload, need, compartment)
            ]
            if not missing:
                return
            LOG.warning(
                "%s %s: no policy lets %s %s in compartment %s; add to a policy, for each: "
                "Allow any-user to VERB RESOURCE in compartment id %s where ALL {request.principal.type='workload', "
                "request.principal.namespace='%s', request.principal.service_account='%s', "
                "request.principal.cluster_id='%s'}",
                call.method,
                call.path,
                workload,
                ", ".join(map(str, missing)),
                compartment,
                compartment,
                workload.namespace,
                workload.service_account,
                workload.cluster_id,
            )
        elif not endpoint.needs and endpoint.for_everyone:
            return
        raise not_found(f"{call.method} {call.path}")

    def _as_it_was(self, endpoint: Endpoint, call: Call, answer: Answer) -> Answer:
        """A list may be behind what there is."""
        if not is_list(endpoint.method, endpoint.path):
            return answer
        asked = f"{call.path}?{sorted(call.query.items())}"
        return self._past.shown(asked, answer, self._world.faults, self._world.clock.now())

    def _once(self, endpoint: Endpoint, call: Call, body: bytes) -> Answer:
        """Carry out a call; one that is repeated with its retry token gets the first answer again."""
        token = call.headers.get(_RETRY_TOKEN) if call.method == "POST" else None
        if token is None:
            return endpoint.handler(call)
        content = hashlib.sha256(call.path.encode() + b"\n" + body).hexdigest()
        known = self._answers.get(token)
        if known is not None and known[0] != content:
            raise ApiError(409, "InvalidatedRetryToken", "The retry token was used for another request.")
        if known is not None:
            return known[1]
        answer = endpoint.handler(call)
        self._answers[token] = (content, answer)
        return answer


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as fault:
        raise ApiError(400, "CannotParseRequest", f"The request's body is not JSON: {fault}.") from None


def _refusal(refusal: ApiError) -> Answer:
    return Answer({"code": refusal.code, "message": refusal.message}, status=refusal.status)
