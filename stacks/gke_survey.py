"""What a Google project may use: machine types and GPUs of each zone, quotas, whether its cluster is there.

Only reading is here; `gke_capacity` judges. What may not be read is not judged, and said. The few
questions go over plain REST: to import the compute SDK takes four seconds of a processor, in every
preview and every update.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

COMPUTE: Final = "https://compute.googleapis.com"
CONTAINER: Final = "https://container.googleapis.com"
_TIMEOUT_S: Final = 30
_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit of a project or region, and how much of it is used."""

    limit: float
    usage: float


@dataclass(frozen=True, slots=True)
class Zone:
    """What one zone sells."""

    machine_types: frozenset[str]
    accelerators: frozenset[str]


@dataclass(frozen=True, slots=True)
class Survey:
    """A project's room in one region."""

    zones: Mapping[str, Zone]
    regional: Mapping[str, Quota]
    """Quotas of the region by metric, such as NVIDIA_T4_GPUS."""
    everywhere: Mapping[str, Quota]
    """Quotas of all regions together, such as GPUS_ALL_REGIONS."""
    built: str
    """Location of the stack's cluster, whose machines are in the usage; empty: there is none yet."""
    unread: tuple[str, ...] = ()
    """What could not be read, and why."""


class SurveyFailed(Exception):
    """The cloud cannot be asked; the text is one line."""


@dataclass(frozen=True, slots=True)
class Question:
    """Where to look, and as whom."""

    project: str
    region: str
    zones: tuple[str, ...]
    cluster: str
    """Name of the stack's cluster."""
    credentials: Any
    endpoint: str
    """Empty: the cloud's own."""


def survey(question: Question) -> Survey:
    """Read everything.

    Raises:
        SurveyFailed: when the cloud cannot be reached, refuses the credentials, or knows no such project.
    """
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    try:
        return _Reader(question).everything()
    except (GoogleAuthError, RequestException) as error:
        raise SurveyFailed(" ".join(str(error).split())) from error


class _Forbidden(Exception):
    """The credentials may not read this."""


class _Reader:
    """One connection, and what it may not read."""

    def __init__(self, question: Question) -> None:
        from google.auth.transport.requests import AuthorizedSession

        self._question = question
        self._session: Any = AuthorizedSession(question.credentials)  # type: ignore[no-untyped-call]
        self._unread: list[str] = []
        self._compute = f"{question.endpoint or COMPUTE}/compute/v1/projects/{question.project}"
        self._container = f"{question.endpoint or CONTAINER}/v1/projects/{question.project}"

    def everything(self) -> Survey:
        region = self._question.region
        return Survey(
            zones={zone: self._zone(zone) for zone in self._question.zones},
            regional=self._quotas(f"quotas of {region}", f"{self._compute}/regions/{region}"),
            everywhere=self._quotas("quotas of the project", self._compute),
            built=self._built(),
            unread=tuple(self._unread),
        )

    def _zone(self, zone: str) -> Zone:
        base = f"{self._compute}/zones/{zone}"
        try:
            return Zone(self._names(f"{base}/machineTypes"), self._names(f"{base}/acceleratorTypes"))
        except _Forbidden as error:
            raise SurveyFailed(f"{zone}: {error}") from error

    def _names(self, url: str) -> frozenset[str]:
        return frozenset(item["name"] for page in self._pages(url) for item in page.get("items", []))

    def _pages(self, url: str) -> Iterator[Mapping[str, Any]]:
        token = ""
        while True:
            page = self._get(url, {"fields": "items/name,nextPageToken", "pageToken": token})
            yield page
            token = page.get("nextPageToken", "")
            if not token:
                return

    def _quotas(self, what: str, url: str) -> dict[str, Quota]:
        try:
            found = self._get(url, {"fields": "quotas"})
        except _Forbidden as error:
            self._unread.append(f"{what}: {error}")
            return {}
        return {
            each["metric"]: Quota(each.get("limit", 0), each.get("usage", 0))
            for each in found.get("quotas", [])
        }

    def _built(self) -> str:
        try:
            found = self._get(f"{self._container}/locations/-/clusters", {})
        except _Forbidden as error:
            self._unread.append(f"whether the cluster is there: {error}")
            return ""
        places = (
            str(each["location"])
            for each in found.get("clusters", [])
            if each["name"] == self._question.cluster
        )
        return next((place for place in places if place.startswith(self._question.region)), "")

    def _get(self, url: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        given = {key: value for key, value in parameters.items() if value}
        answer = self._session.get(url, params=given, timeout=_TIMEOUT_S)
        content = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        said = content.get("error", {}).get("message") or answer.reason
        if answer.status_code == _FORBIDDEN:
            raise _Forbidden(said)
        if not answer.ok:
            raise SurveyFailed(f"{said} ({answer.status_code})")
        found: Mapping[str, Any] = content
        return found
