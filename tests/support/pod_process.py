"""A process for process pods: tells its environment, then lives as its arguments say."""

import json
import os
import signal
import sys
import time


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    wishes = sys.argv[1:]
    say(json.dumps({"env": dict(os.environ), "args": wishes}))
    if "--deaf" in wishes:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("deaf")
    else:
        signal.signal(signal.SIGTERM, _say_bye)
    if "--fail" in wishes:
        return 3
    if "--done" in wishes:
        return 0
    end = time.monotonic() + 600
    while time.monotonic() < end:
        if "--busy" not in wishes:
            time.sleep(0.1)
    return 1


def _say_bye(_number: int, _frame: object) -> None:
    say("bye")
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
