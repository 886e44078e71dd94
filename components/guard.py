"""What callers of the model servers meet: an encrypted connection, and who is let in."""

import hashlib
from dataclasses import dataclass, field
from typing import Final

SECRET: Final = "serving"  # noqa: S105 - the name of an object
FOLDER: Final = "/etc/serving"
CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
TOKEN: Final = "token"  # noqa: S105 - the name of a file
TOKEN_FILE_ENV: Final = "RIGHTSIZE_TOKEN_FILE"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Guard:
    """Empty values guard nothing."""

    certificate: str = ""
    """PEM, the whole chain."""
    key: str = field(default="", repr=False)
    """PEM."""
    token: str = field(default="", repr=False)
    """What callers have to bring."""

    @property
    def scheme(self) -> str:
        """Of the models' addresses."""
        return "https" if self.certificate else "http"

    @property
    def files(self) -> dict[str, str]:
        """What the pods find in the folder."""
        every = {CERTIFICATE: self.certificate, KEY: self.key, TOKEN: self.token}
        return {name: text for name, text in every.items() if text}

    @property
    def checksum(self) -> str:
        """Another one for another guard, so that pods are replaced; it tells nothing of a long secret."""
        return hashlib.sha256("\n".join(self.files.values()).encode()).hexdigest()
