"""What finding a cloud's credentials has in common: where to look, and that there may be none."""

from collections.abc import Callable

Lookup = Callable[[str], str | None]
"""A key of the cloud provider's settings, without its prefix, to its value or nothing."""


class CredentialsMissing(Exception):
    """Nowhere is there enough to identify oneself with; the text says what is missing."""
