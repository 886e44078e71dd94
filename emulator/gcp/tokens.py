"""Access tokens: issued by the token endpoint and the metadata servers, checked by the APIs."""

import base64
import binascii
import json
from typing import Any, Final

from emulator.cloud.ids import Ids
from emulator.gcp.account import OWNER
from emulator.gcp.principal import OWNER_PRINCIPAL, Principal

LIFETIME_S: Final = 3600
_PREFIX: Final = "ya29.emulated-"
_DIGITS: Final = 48
_PARTS: Final = 3


class TokenRefused(Exception):
    """A token or assertion that the cloud does not accept; the message says why."""


class Tokens:
    """Issues and checks access tokens; the caller holds the cloud's lock."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._issued: dict[str, tuple[Principal, float]] = {}

    def issue(self, principal: Principal, now: float) -> str:
        """A token for a principal, valid for an hour."""
        token = f"{_PREFIX}{self._ids.token(_DIGITS)}"
        self._issued[token] = (principal, now + LIFETIME_S)
        return token

    def principal(self, token: str, now: float) -> Principal:
        """Whose token it is.

        Whoever reaches the emulator's loopback port and is no workload counts as the account's owner,
        since nothing there is worth protecting from it: signatures of the owner's own JWTs are not
        looked at. Tokens of workloads are checked, because what they may do is what policies are to
        be tested for.

        Raises:
            TokenRefused: saying why.
        """
        if token.startswith(_PREFIX):
            issued = self._issued.get(token)
            if issued is None:
                raise TokenRefused("the access token is not one of this cloud")
            if issued[1] < now:
                raise TokenRefused("the access token has expired")
            return issued[0]
        if token.count(".") == _PARTS - 1:
            check_owner(claims_of(token))
        return OWNER_PRINCIPAL


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT.

    Raises:
        TokenRefused: it is none.
    """
    try:
        part = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        claims["iss"]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        raise TokenRefused("it is no JSON web token with an issuer") from None
    return claims


def check_owner(claims: dict[str, Any]) -> None:
    """Accept what the owner signed, and nobody else's: no other service account has a key.

    Raises:
        TokenRefused: naming who signed.
    """
    if claims["iss"] != OWNER:
        raise TokenRefused(f"account {claims['iss']} has no key; the emulated account's is {OWNER}")
