"""The emulated Google APIs, as a plugin calls them."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.rest.api import Api, ApiFault

COMPUTE: Final = "/compute/v1"
CONTAINER: Final = "/v1"
IAM: Final = "/v1"
REGISTRY: Final = "/v1"
_TOKEN: Final = "Bearer emulated"  # noqa: S105 -- it opens nothing that is not open
"""On its loopback port the emulated cloud takes everybody who is no workload for the project's owner."""
_BUSY: Final = frozenset({"CLUSTER_ALREADY_HAS_OPERATION", "resourceNotReady"})
"""Reasons that pass: another operation runs, or what is referred to is still being made."""
_IN_USE: Final = frozenset({"RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "resourceInUseByAnotherResource"})
_CONFLICT: Final = 409


class GoogleApi(Api):
    """Calls the project as its owner."""

    def authorization(self) -> str:
        """The project's owner."""
        return _TOKEN

    def refusal(self, status: int, said: Any) -> ApiFault:
        """A fault in Google's form: what says most of it is the reason in its details."""
        error = said["error"]
        reasons = [str(one["reason"]) for one in error.get("details", ()) if "reason" in one]
        older = [str(one["reason"]) for one in error.get("errors", ()) if "reason" in one]
        code = next(iter([*reasons, *_text(error, "status"), *older]), f"HTTP {status}")
        busy = bool(_BUSY & {*reasons, *older})
        return ApiFault(status, code, str(error["message"]), busy=busy)


def in_use(fault: ApiFault) -> bool:
    """Whether something else still uses what is to be deleted, and may be about to go."""
    return fault.code in _IN_USE


def outrun(fault: ApiFault) -> bool:
    """Whether somebody else was faster, so that what was read has to be read again."""
    return fault.status == _CONFLICT


def _text(error: Mapping[str, Any], name: str) -> list[str]:
    return [str(error[name])] if error.get(name) else []
