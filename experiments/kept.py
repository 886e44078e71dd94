"""What a run keeps in a file of its own: read back, or said not to be what a run writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from experiments.fault import Fault

T = TypeVar("T")


def read_kept(
    path: Path, key: str, read: Callable[[Any], T], parse_float: Callable[[str], Any] = float
) -> T | None:
    """What `read` makes of the document's part of that key; None when there is no file.

    Raises:
        Fault: the file is not what a run writes.
    """
    if not path.is_file():
        return None
    try:
        return read(json.loads(path.read_text(encoding="utf-8"), parse_float=parse_float)[key])
    except ValidationError as error:
        raise Fault(f"{path}: {first_fault(error)}; measure again") from error
    except (ValueError, KeyError, AttributeError, TypeError) as fault:
        raise Fault(f"{path}: not what a run writes ({fault}); measure again") from fault


def first_fault(error: ValidationError) -> str:
    """The first place that is not as it should be, and why."""
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
