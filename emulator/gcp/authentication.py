"""Who sends a request: read from its Authorization header; and the endpoint that gives out tokens."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs

from emulator.cloud.http import Answer
from emulator.gcp import tokens
from emulator.gcp.errors import unauthenticated
from emulator.gcp.principal import OWNER_PRINCIPAL, Principal
from emulator.gcp.tokens import TokenRefused, Tokens

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def principal_of(headers: Mapping[str, str], issued: Tokens, now: float) -> Principal:
    """The caller.

    Raises:
        ApiError: 401 when there are no credentials or they are refused.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated(
            "Request is missing required authentication credential. Expected OAuth 2 access token."
        )
    try:
        return issued.principal(token.strip(), now)
    except TokenRefused as refusal:
        raise unauthenticated(f"Request had invalid authentication credentials: {refusal}.") from None


def exchange(body: bytes, issued: Tokens, now: float) -> Answer:
    """The answer to a service account's signed assertion: an access token."""
    form = parse_qs(body.decode(errors="replace"))
    if form.get("grant_type") != [_GRANT]:
        return _refused(f"grant_type: expected {_GRANT}")
    try:
        tokens.check_owner(tokens.claims_of(form.get("assertion", [""])[0]))
    except TokenRefused as refusal:
        return _refused(str(refusal))
    token = issued.issue(OWNER_PRINCIPAL, now)
    return Answer({"access_token": token, "expires_in": tokens.LIFETIME_S, "token_type": "Bearer"})


def _refused(why: str) -> Answer:
    return Answer({"error": "invalid_grant", "error_description": why}, status=400)
