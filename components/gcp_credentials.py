"""The credentials the Google provider of the engine uses, for clients of our own beside it.

Looked for where the provider looks: the stack's `gcp:accessToken` and `gcp:credentials` (a key as
JSON text, or the path of its file), the environment variables of the same meaning, then the
application default credentials (`GOOGLE_APPLICATION_CREDENTIALS`, `gcloud auth application-default
login`, the machine's own account).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from components.credentials import CredentialsMissing, Lookup

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_TOKEN_ENV: Final = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105 (a variable's name)
_KEY_ENV: Final = ("GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON", "GCLOUD_KEYFILE_JSON")


def find(setting: Lookup, environment: Mapping[str, str]) -> Any:
    """Find the credentials, as the SDK's clients take them.

    Args:
        setting: a key of the provider's settings without `gcp:`, to its value or nothing.
        environment: the process's environment.

    Raises:
        CredentialsMissing: when there are none, or when those that are there cannot be read.
    """
    token = setting("accessToken") or environment.get(_TOKEN_ENV)
    if token:
        from google.oauth2.credentials import Credentials

        return Credentials(token)  # type: ignore[no-untyped-call]
    named = (
        ("gcp:credentials", setting("credentials")),
        *((name, environment.get(name)) for name in _KEY_ENV),
    )
    for name, value in named:
        if value:
            return _of_key(name, value)
    return _default()


def _of_key(name: str, value: str) -> Any:
    """Credentials of a key: JSON text, or the path of a file with it."""
    text = value if value.lstrip().startswith("{") else _read(name, value)
    try:
        info = json.loads(text)
        make = _KINDS[info["type"]]
    except (ValueError, TypeError, KeyError) as error:
        raise CredentialsMissing(
            f"{name}: expected a key as JSON whose type is {' or '.join(_KINDS)}; give other kinds by "
            "GOOGLE_APPLICATION_CREDENTIALS"
        ) from error
    try:
        return make(info)
    except ValueError as error:
        raise CredentialsMissing(f"{name}: the key cannot be used: {error}") from error


def _read(name: str, value: str) -> str:
    try:
        return Path(value).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise CredentialsMissing(f"{name}: {value!r} is neither a key nor a readable file of one") from error


def _service_account(info: Mapping[str, Any]) -> Any:
    from google.oauth2.service_account import Credentials

    return Credentials.from_service_account_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]


def _user(info: Mapping[str, Any]) -> Any:
    from google.oauth2.credentials import Credentials

    return Credentials.from_authorized_user_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = MappingProxyType(
    {"service_account": _service_account, "authorized_user": _user}
)
"""How credentials are made of each type of key."""


def _default() -> Any:
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
    except DefaultCredentialsError as error:
        raise CredentialsMissing(
            "gcp:credentials: neither in the stack's settings, the environment, nor as application default "
            "credentials; run `gcloud auth application-default login`, or set one of them"
        ) from error
    return credentials
