"""Questions that the engine asks a cloud for us, before anything is declared."""

from collections.abc import Callable
from typing import Any

from stacks.faults import Fault, StackError


def ask(place: str, suspect: str, what: str, question: Callable[[], Any]) -> Any:
    """The answer.

    Args:
        place: key of the setting that says where to build.
        suspect: what to look at beside the credentials, where the cloud gives no reason.
        what: is asked for.
        question: an invoke of the cloud's provider.

    Raises:
        StackError: when there is none.
    """
    try:
        return question()
    except Exception as error:  # the engine raises a bare Exception when an invoke fails
        said = str(error).splitlines()
        way_out = f"the cloud said: {said[0]}" if said else f"check credentials and {suspect}"
        raise StackError([Fault(place, what, "cannot be read from the cloud", way_out)]) from error
