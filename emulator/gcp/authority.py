"""The key of the account's owner, new at every start: what is written as `gcp:credentials`."""

import hashlib
import json
from typing import Final

from emulator import keys
from emulator.gcp.account import OWNER, PROJECT

_ID_DIGITS: Final = 40


def key_of_owner(endpoint: str) -> str:
    """JSON of a service account key whose tokens are given out by the emulator at that endpoint."""
    key = keys.generate()
    content = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": hashlib.sha256(key.fingerprint.encode()).hexdigest()[:_ID_DIGITS],
        "private_key": key.private_pem,
        "client_email": OWNER,
        "client_id": "100000000000000000001",
        "auth_uri": f"{endpoint}/auth",
        "token_uri": f"{endpoint}/token",
        "universe_domain": "googleapis.com",
    }
    return json.dumps(content)
