"""The emulated OCI REST API, as a plugin calls it."""

from typing import Any, Final

from emulator.plugins.rest.api import Api, ApiFault

CORE: Final = "/20160918"
ENGINE: Final = "/20180222"
_SIGNATURE: Final = 'Signature version="1",keyId="emulated"'
"""On its loopback port the emulated cloud takes everybody who is no workload for the account's user."""


class OracleApi(Api):
    """Calls the account as its user."""

    def authorization(self) -> str:
        """The account's user."""
        return _SIGNATURE

    def refusal(self, status: int, said: Any) -> ApiFault:
        """A fault in Oracle's form."""
        code = str(said["code"])
        return ApiFault(status, code, str(said["message"]), busy=code == "IncorrectState")
