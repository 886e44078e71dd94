"""An emulated cloud's REST API, as a plugin calls it."""

import json
import urllib.error
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.home import Home

_TIMEOUT_S: Final = 60
_WAY_OUT: Final = "start it with `python -m emulator start`"


class ApiFault(Exception):
    """The API refused a call."""

    def __init__(self, status: int, code: str, message: str, *, busy: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self._busy = busy

    @property
    def gone(self) -> bool:
        """Whether the resource is not there."""
        return self.status == 404  # noqa: PLR2004 -- a status, by its number

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later: busy, throttled, or an error of the server's own."""
        return self._busy or self.status == 429 or self.status >= 500  # noqa: PLR2004


class Unreachable(Exception):
    """The emulated cloud does not answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the API answered: JSON, or text where it is none; headers with names in lower case."""

    body: Any
    headers: Mapping[str, str]


class Api(ABC):
    """Calls an emulator, which may be started anew in between: `find` is asked at every call."""

    def __init__(self, find: Callable[[], str] | None = None) -> None:
        self._find = find or endpoint_of_home

    @abstractmethod
    def authorization(self) -> str:
        """The header that says who calls; empty: none."""

    @abstractmethod
    def refusal(self, status: int, said: Any) -> ApiFault:
        """A fault by the JSON that the API answered it with.

        Raises:
            KeyError, TypeError: when the JSON has not the form of the API's faults.
        """

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
    ) -> Reply:
        """One call.

        Raises:
            ApiFault: the API refused it.
            Unreachable: nobody answered.
        """
        target = urllib.parse.quote(path, safe="/:") + _query(query or {})
        request = urllib.request.Request(  # noqa: S310 -- the emulator's own http endpoint
            self._find() + target,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **_header("Authorization", self.authorization())},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310 -- as above
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Reply(_parsed(response.read(), headers), headers)
        except urllib.error.HTTPError as fault:
            raise self._refused(fault) from None
        except OSError as fault:
            raise Unreachable(f"the emulated cloud does not answer ({fault}); {_WAY_OUT}") from None

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """What stands at a path."""
        return self.call("GET", path, query=query).body

    def _refused(self, fault: urllib.error.HTTPError) -> ApiFault:
        content = fault.read()
        try:
            return self.refusal(fault.code, json.loads(content))
        except (ValueError, KeyError, TypeError):
            return ApiFault(fault.code, f"HTTP {fault.code}", content.decode(errors="replace")[:300])


def endpoint_of_home() -> str:
    """Where the emulator of `EMULATOR_HOME` listens.

    Raises:
        Unreachable: it is not running.
    """
    home = Home.of_environment()
    running = home.running()
    if running is None:
        raise Unreachable(f"the emulated cloud of {home.path} is not running; {_WAY_OUT}")
    return running.endpoint


def _query(values: Mapping[str, Any]) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    return f"?{urllib.parse.urlencode(given, doseq=True)}" if given else ""


def _header(name: str, value: str) -> dict[str, str]:
    return {name: value} if value else {}


def _parsed(content: bytes, headers: Mapping[str, str]) -> Any:
    if not content:
        return None
    if "json" in headers.get("content-type", ""):
        return json.loads(content)
    return content.decode()
