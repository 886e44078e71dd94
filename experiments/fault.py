"""The one kind of error the command line shows as a line instead of a traceback."""


class Fault(Exception):
    """Something the user can do something about; the message names it, its value and the way out."""


class Interrupted(Exception):
    """The run was asked to stop; everything started by it has been stopped."""
