"""Names and label values as Google Cloud takes them, made of a stack's name."""

import hashlib
import re
from typing import Final

_HASH: Final = 6
LONGEST_ACCOUNT: Final = 30
LONGEST_CLUSTER: Final = 40


def google_name(stack: str, suffix: str = "", longest: int = 63) -> str:
    """Lowercase letters, digits and dashes, beginning with a letter; a hash tells shortened names apart."""
    plain = re.sub(r"[^a-z0-9]+", "-", stack.lower()).strip("-")
    if not plain[:1].isalpha():
        plain = f"s-{plain}".rstrip("-")
    end = f"-{suffix}" if suffix else ""
    if plain == stack and len(plain) + len(end) <= longest:
        return f"{plain}{end}"
    digest = hashlib.sha256(stack.encode()).hexdigest()[:_HASH]
    return f"{plain[: longest - len(end) - _HASH - 1].rstrip('-')}-{digest}{end}"


def label_value(text: str) -> str:
    """The text as the value of a resource label."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:63]


def role_id(stack: str) -> str:
    """Id of a custom role: letters, digits, underscores."""
    return google_name(stack, "provisioner").replace("-", "_")
