"""What an Oracle tenancy may use: its service limits in each availability domain, read by the SDK.

Only reading is here; `oke_capacity` judges. What may not be read is not judged, and said.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.oci_credentials import Credentials

_SERVICE: Final = "compute"
_REFUSED: Final = (401, 403, 404)
_TIMEOUT_S: Final = (5, 30)
_GONE: Final = ("DELETING", "DELETED", "FAILED")


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of a limit in one availability domain, and what is used."""

    available: int
    used: int


@dataclass(frozen=True, slots=True)
class Survey:
    """A compartment's room."""

    rooms: Mapping[tuple[str, str], Room]
    """By limit and availability domain."""
    built: bool
    """Whether the stack's cluster is there already, and its machines in what is used."""
    unread: tuple[str, ...] = ()
    """What could not be read, and why."""


class SurveyFailed(Exception):
    """The cloud cannot be asked; the text is one line."""


@dataclass(frozen=True, slots=True)
class Question:
    """Where to look, for what, and as whom."""

    compartment: str
    cluster: str
    """Name of the stack's cluster."""
    limits: tuple[str, ...]
    domains: tuple[str, ...]
    credentials: Credentials
    endpoint: str
    """Empty: the cloud's own."""


def survey(question: Question) -> Survey:
    """Read everything.

    Raises:
        SurveyFailed: when the cloud cannot be reached.
    """
    import oci

    unread: dict[str, str] = {}
    try:
        return Survey(_rooms(question, unread), _built(question, unread), tuple(_lines(unread)))
    except (
        oci.exceptions.ServiceError,
        oci.exceptions.ClientError,
        oci.exceptions.RequestException,
    ) as error:
        raise SurveyFailed(" ".join(str(getattr(error, "message", "") or error).split())) from error


def _rooms(question: Question, unread: dict[str, str]) -> dict[tuple[str, str], Room]:
    import oci

    client = _client(oci.limits.LimitsClient, question)
    found: dict[tuple[str, str], Room] = {}
    for limit in question.limits:
        for domain in question.domains:
            answer = _unless_refused(
                f"limit {limit}",
                lambda limit=limit, domain=domain: client.get_resource_availability(  # type: ignore[misc]
                    _SERVICE, limit, question.compartment, availability_domain=domain
                ),
                unread,
            )
            if answer is not None and answer.data.available is not None:
                found[limit, domain] = Room(answer.data.available, answer.data.used or 0)
    return found


def _built(question: Question, unread: dict[str, str]) -> bool:
    import oci

    client = _client(oci.container_engine.ContainerEngineClient, question)
    answer = _unless_refused(
        "whether the cluster is there",
        lambda: client.list_clusters(question.compartment, name=question.cluster),
        unread,
    )
    return answer is not None and any(each.lifecycle_state not in _GONE for each in answer.data)


def _client(kind: Callable[..., Any], question: Question) -> Any:
    import oci

    credentials = question.credentials
    options: dict[str, Any] = {"timeout": _TIMEOUT_S, "retry_strategy": oci.retry.NoneRetryStrategy()}
    if question.endpoint:
        options["service_endpoint"] = question.endpoint
    signer = credentials.signer()
    if signer is not None:
        options["signer"] = signer
    return kind(dict(credentials.config), **options)


def _unless_refused(what: str, ask: Callable[[], Any], unread: dict[str, str]) -> Any:
    """The answer; None when it is refused, which Oracle says like "not found"."""
    import oci

    try:
        return ask()
    except oci.exceptions.ServiceError as error:
        if error.status not in _REFUSED:
            raise
        unread[what] = f"{error.code} ({error.status})"
        return None


def _lines(unread: Mapping[str, str]) -> Iterable[str]:
    return (f"{what}: {why}" for what, why in unread.items())
