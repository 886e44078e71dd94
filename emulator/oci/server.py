"""Carries the OCI APIs over HTTP: routes, authentication, authorization, errors, retry tokens."""

import hashlib
import json
import logging
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.cloud.errors import ApiError, not_found
from emulator.oci import core_api, engine_api
from emulator.oci.authentication import Signed, principal_of
from emulator.oci.http import Answer, Call, Endpoint
from emulator.oci.tokens import Tokens
from emulator.oci.world import World

LOG: Final = logging.getLogger(__name__)
_RETRY_TOKEN: Final = "opc-retry-token"  # noqa: S105 - the name of a header
_REQUEST_ID: Final = "opc-request-id"


class Server:
    """The OCI APIs as routes of a web server."""

    def __init__(self, world: World, tokens: Tokens) -> None:
        self._world = world
        self._tokens = tokens
        self._answers: dict[str, tuple[str, Answer]] = {}

    def routes(self) -> list[Route]:
        """One route for each operation."""
        endpoints = (*engine_api.Engine(self._world).endpoints(), *core_api.Core(self._world).endpoints())
        return [self._route(endpoint) for endpoint in endpoints]

    def fallbacks(self) -> list[Route]:
        """One route for all below each API that no other route serves."""
        return [
            Route(f"{base}/{{path:path}}", self._unknown, methods=["GET", "POST", "PUT", "DELETE"])
            for base in (engine_api.BASE, core_api.BASE)
        ]

    async def _unknown(self, request: Request) -> Response:
        fault = not_found(f"{request.method} {request.url.path}")
        return _response(_refusal(fault), _request_id(self._world, request))

    def _route(self, endpoint: Endpoint) -> Route:
        async def serve(request: Request) -> Response:
            body = await request.body()
            answer = await run_in_threadpool(self._answer, endpoint, request, body)
            return _response(answer, _request_id(self._world, request))

        return Route(endpoint.path, serve, methods=[endpoint.method])

    def _answer(self, endpoint: Endpoint, request: Request, body: bytes) -> Answer:
        try:
            call = self._call(request, body)
            with self._world.lock:
                self._authorize(endpoint, call)
                return self._once(endpoint, call, body)
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
        headers = dict(request.headers)
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raw_path = request.scope.get("raw_path")
        if raw_path:
            target = raw_path.decode() + (f"?{request.url.query}" if request.url.query else "")
        signed = Signed(request.method, target, headers, body)
        query: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            query.setdefault(name, []).append(value)
        return Call(
            method=request.method,
            path=request.url.path,
            parameters=dict(request.path_params),
            query=query,
            headers=headers,
            body=_parsed(body),
            principal=principal_of(signed, self._tokens, self._world.clock.now()),
        )

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


def _request_id(world: World, request: Request) -> str:
    return request.headers.get(_REQUEST_ID) or world.ids.token(32).upper()


def _response(answer: Answer, request_id: str) -> Response:
    headers = {**answer.headers, _REQUEST_ID: request_id}
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, headers, media_type="application/x-yaml")
    return Response(json.dumps(answer.body), answer.status, headers, media_type="application/json")
