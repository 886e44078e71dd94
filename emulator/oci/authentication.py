"""Who sends a request: read from its Authorization header.

Whoever reaches the emulator's loopback port and is no workload counts as the account's own user,
since nothing there is worth protecting from it. Workloads are checked in full, because what they may
do is what policies are to be tested for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emulator.cloud.errors import ApiError
from emulator.oci import tokens
from emulator.oci.principal import Principal
from emulator.oci.tokens import TokenRefused, Tokens

_PART: Final = re.compile(r'(\w+)="([^"]*)"')
_TOKEN_PREFIX: Final = "ST$"  # noqa: S105 - how the key id of a session token begins
USER: Final = Principal("user")


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of a request that its signature covers."""

    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str]
    body: bytes


def principal_of(request: Signed, issued: Tokens, now: float) -> Principal:
    """The caller.

    Raises:
        ApiError: 401 when there are no credentials or they are refused.
    """
    header = request.headers.get("authorization", "")
    if not header:
        raise ApiError(
            401, "NotAuthenticated", "The required information to complete authentication was not provided."
        )
    parts = dict(_PART.findall(header))
    key_id = parts.get("keyId", "")
    if not key_id.startswith(_TOKEN_PREFIX):
        return USER
    try:
        claims = issued.read(key_id.removeprefix(_TOKEN_PREFIX), now)
        tokens.check_signature(
            str(claims["pod_key"]), _signing_text(request, parts), parts.get("signature", "")
        )
        if "x-content-sha256" in parts.get("headers", ""):
            tokens.check_body(request.body, request.headers.get("x-content-sha256", ""))
    except TokenRefused as refusal:
        raise ApiError(401, "NotAuthenticated", f"The credentials are refused: {refusal}.") from None
    workload = tokens.workload_of(claims)
    return Principal(str(workload), workload)


def _signing_text(request: Signed, parts: Mapping[str, str]) -> str:
    lines = []
    for name in parts.get("headers", "").split():
        if name == "(request-target)":
            lines.append(f"(request-target): {request.method.lower()} {request.target}")
        else:
            lines.append(f"{name}: {request.headers.get(name, '')}")
    return "\n".join(lines)
