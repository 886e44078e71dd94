"""Google's clients, and which of our four errors each of their errors is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from provisioner.drivers.contract import Denied, DriverError, Gone, NoCapacity, Retry, Trouble

_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_READ_S: Final = 20.0
_WRITE_S: Final = 45.0
"""How long to wait for an answer: as Google's own client of clusters does, of what is read and what is ordered."""
_BUSY_S: Final = 5.0
_THROTTLED_S: Final = 30.0
_PASSING: Final = (500, 502, 503, 504)
_CAPACITY: Final = (
    "resource_pool_exhausted",  # with ZONE_ or REGION_ before it, _WITH_DETAILS after it
    "stockout",  # GCE_STOCKOUT, ZONE_RESOURCE_STOCKOUT
    "insufficient_capacity",
    "quota_exceeded",  # GCE_QUOTA_EXCEEDED too
    "quotaexceeded",
    "ip_space_exhausted",
    "does not have enough resources available",
    "insufficient regional quota",
    "insufficient project quota",
)
"""Parts of codes and messages by which Google says that there is no machine to be had."""
_THROTTLING: Final = ("ratelimitexceeded", "rate_limit_exceeded", "per minute", "per 100 seconds")
"""The same of quotas on calls, which are no quotas on machines."""
_OCCUPIED: Final = ("cluster_already_has_operation", "incompatible operation")
"""The same of a cluster on which another operation runs."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Both APIs a node pool lives in."""

    engine: Any
    """Of clusters and node pools."""
    groups: Any
    """Of the instance groups that are a node pool's machines."""


def ambient() -> Any:
    """The credentials of where this runs: in a pod, those of its workload identity.

    Raises Denied when there are none, Retry when they cannot be asked for now.
    """
    import google.auth

    with translated(about_existing=False):
        credentials, _ = google.auth.default(scopes=_SCOPES)
    return credentials


def clients(credentials: Any, endpoint: str = "") -> Clients:
    """Clients over REST, at the cloud's own addresses when the endpoint is empty."""
    from google.cloud.compute_v1 import InstanceGroupManagersClient
    from google.cloud.container_v1 import ClusterManagerClient

    options: dict[str, Any] = {"credentials": credentials, "transport": "rest"}
    if endpoint:
        options["client_options"] = {"api_endpoint": endpoint}
    with translated(about_existing=False):
        return Clients(ClusterManagerClient(**options), InstanceGroupManagersClient(**options))


def call(method: Callable[..., Any], *, about_existing: bool, **named: Any) -> Any:
    """Ask an API once: what happens after an error is decided here, not in the SDK."""
    with translated(about_existing=about_existing):
        return method(**named, retry=None, timeout=_READ_S)


def order(method: Callable[..., Any], *, about_existing: bool, **named: Any) -> Any:
    """Have an API change something, once."""
    with translated(about_existing=about_existing):
        return method(**named, retry=None, timeout=_WRITE_S)


def listed(method: Callable[..., Any], **named: Any) -> list[Any]:
    """All that a call lists, over as many pages as it takes."""
    with translated(about_existing=True):
        return list(method(**named, retry=None, timeout=_READ_S))


@contextmanager
def translated(*, about_existing: bool) -> Iterator[None]:
    """Raise the SDK's errors as ours.

    A 404 about something that was there means that it is gone; about something new it means that
    a thing it refers to is not there, or may not be used.
    """
    import requests
    from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

    try:
        yield
    except GoogleAPICallError as error:
        raise classify(error.code or 0, _said(error), about_existing=about_existing) from error
    except DefaultCredentialsError as error:
        raise Denied(f"there are no credentials: {error}") from error
    except GoogleAuthError as error:
        raise Retry(f"the identity is not accepted: {error}", _BUSY_S) from error
    except (GoogleAPIError, requests.exceptions.RequestException) as error:
        raise Trouble(f"the cloud cannot be reached: {error}", _BUSY_S) from error
    except ValueError as error:
        raise Denied(f"the cloud's client refuses: {error}") from error


def classify(status: int, message: str, *, about_existing: bool) -> DriverError:
    """Which of our errors an answer of the cloud is."""
    text = message.lower()
    if status == 429 or any(part in text for part in _THROTTLING):  # noqa: PLR2004 (HTTP)
        is_quota = is_about_capacity(message) and not any(part in text for part in _THROTTLING)
        return NoCapacity(message) if is_quota else Trouble(message, _THROTTLED_S)
    if any(part in text for part in _OCCUPIED):
        return Retry(message, _BUSY_S)
    if is_about_capacity(message):
        return NoCapacity(message)
    if status == 404 and about_existing:  # noqa: PLR2004 (HTTP)
        return Gone(message)
    if status in _PASSING or status <= 0:  # 0: no answer
        return Trouble(message, _BUSY_S)
    is_passing = status in {408, 409, 412} or status >= 500  # noqa: PLR2004 (HTTP)
    return Retry(message, _BUSY_S) if is_passing else Denied(message)


def is_about_capacity(message: str) -> bool:
    """Whether a code or message of the cloud says that there is no machine to be had."""
    text = message.lower()
    return any(part in text for part in _CAPACITY)


def _said(error: Any) -> str:
    """What an error says: status, the reasons in its details, and its message."""
    reasons = [each.get("reason", "") for each in error.errors if isinstance(each, dict)]
    words = dict.fromkeys(word for word in (error.reason, *reasons) if word)
    return f"{' '.join(words)} ({error.code}): {error.message}".lstrip()
