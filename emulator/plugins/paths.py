"""Property paths, as the engine writes them: `spec.ports[0].name`, `metadata.labels["a.b/c"]`."""

import json
import re
from typing import Final

Path = tuple[str | int, ...]

_PLAIN: Final = re.compile(r"^[A-Za-z_$][\w$-]*$")
_STEP: Final = re.compile(r'\.?([^.\[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]')
ANY: Final = "*"


def parse(text: str) -> Path:
    """A path from its text; a step that is no number is a key, `*` stands for any."""
    steps: list[str | int] = []
    for match in _STEP.finditer(text):
        key, index, quoted = match.groups()
        if index is not None:
            steps.append(int(index) if index != ANY else ANY)
        else:
            steps.append(key if key is not None else json.loads(f'"{quoted}"'))
    return tuple(steps)


def text(path: Path) -> str:
    """The text of a path."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        elif _PLAIN.match(step):
            written += f".{step}" if written else step
        else:
            written += f"[{json.dumps(step)}]"
    return written


def within(path: Path, prefix: Path) -> bool:
    """Whether a path is the prefix, or lies below it."""
    if len(path) < len(prefix):
        return False
    return all(wanted in (ANY, step) for step, wanted in zip(path, prefix, strict=False))
