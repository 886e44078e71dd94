"""Errors by what happens next."""


class Fault(Exception):
    """The user can do something about it; the message names what, its value and the way out."""


class Interrupted(Exception):
    """The run was asked to stop, and ends in good order."""


class Unreachable(Exception):
    """An API server did not answer; worth asking again."""
