"""`python -m tools`: build what is missing, with a line of progress for each."""

import sys
import threading
import time

from tools.build import BuildFailed, assemble, build, exclusive, missing
from tools.locate import ToolMissing, bin_dir
from tools.pins import TOOLS, Tool

_HEARTBEAT_S = 20


def main() -> int:
    """Build all missing tools; exit status 0, or 1 with one message."""
    try:
        with exclusive():
            todo = missing(TOOLS)
            for number, tool in enumerate(todo, start=1):
                _build_with_progress(tool, f"[{number}/{len(todo)}]")
            if todo or not _assembled():
                assemble()
    except BuildFailed as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was built is kept, `make tools` goes on from there", file=sys.stderr)
        return 1
    print(f"tools ready: {bin_dir()}")
    return 0


def _assembled() -> bool:
    try:
        bin_dir()
    except ToolMissing:
        return False
    return True


def _build_with_progress(tool: Tool, position: str) -> None:
    started = time.monotonic()
    done = threading.Event()

    def beat() -> None:
        while not done.wait(_HEARTBEAT_S):
            print(f"{position}   … {tool.name}, {time.monotonic() - started:.0f} s", flush=True)

    print(f"{position} building {tool.name} {tool.version} (once; kept for later clones)", flush=True)
    threading.Thread(target=beat, daemon=True).start()
    try:
        build(tool)
    finally:
        done.set()
    print(f"{position} built {tool.name} in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
