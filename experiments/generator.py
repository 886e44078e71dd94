"""What a load's pod runs: asks the model a few pictures, then puts load on it until it is stopped.

`vegeta` sends at a stated rate, whatever the answers take (no coordinated omission); `hey` keeps
so many requests in flight, as in the published experiment. The log has one JSON document a line:
an answer to a picture, or a request with the time it was due (seconds since the epoch), how long
it took, and its status (0: no answer). Nothing is imported that an image would need to install.
"""

import argparse
import csv
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any, Final

PICTURES: Final = Path(__file__).resolve().parent / "pictures"
LOAD_PICTURE: Final = "cat"
TYPE: Final = "image/jpeg"
ANSWER_S: Final = 30
HEY_ROUND_S: Final = 15
_MOST_PARTS: Final = 1000
_TIMED: Final = 7
"""Answers by which a machine is measured: the soonest is the one that nothing else was in the way of."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request."""

    at: float
    took_s: float
    code: int

    def line(self) -> str:
        """As the log has it."""
        return json.dumps({"at": round(self.at, 3), "s": round(self.took_s, 6), "code": self.code})


def rate_text(per_second: Fraction) -> str:
    """A rate as vegeta takes it: whole requests in a whole number of seconds."""
    exact = per_second.limit_denominator(_MOST_PARTS)
    return f"{exact.numerator}/{exact.denominator}s"


def scaled(rate: Fraction, demand_cores: Fraction, answer_s: float) -> Fraction:
    """The rate, or more where a core answers so soon that the rate would not ask for so many cores."""
    by_demand = Fraction(round(100 * demand_cores / Fraction(max(answer_s, 1e-3))), 100)
    return max(rate, by_demand)


def vegeta_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Requests in vegeta's CSV: time in ns, code, latency in ns, and more."""
    for fields in csv.reader(lines):
        yield Row(int(fields[0]) / 1e9, int(fields[2]) / 1e9, int(fields[1]))


def hey_rows(lines: Iterable[str], began: float) -> Iterator[Row]:
    """Requests in hey's CSV: response time, five parts of it, code, offset from the start, in seconds."""
    for fields in csv.DictReader(lines):
        yield Row(began + float(fields["offset"]), float(fields["response-time"]), int(fields["status-code"]))


def main(words: Sequence[str] | None = None) -> int:
    """Run until SIGTERM."""
    options = _options(words)
    stopping = _Stopping()
    signal.signal(signal.SIGTERM, stopping.take)
    signal.signal(signal.SIGINT, stopping.take)
    for picture in sorted(PICTURES.glob("*.jpg")):
        _say(json.dumps({"picture": picture.stem, "answer": _ask(options.url, picture)}))
    if options.rate and options.least_cores:
        answer_s = _soonest(options.url)
        options.rate = scaled(options.rate, options.least_cores, answer_s)
        _say(json.dumps({"rate": float(options.rate), "answer_s": round(answer_s, 4)}))
    attack = _closed if options.connections else _open
    for row in attack(options, stopping):
        _say(row.line())
    return 0


class _Stopping:
    """Remembers a wish to stop, and passes it on as the interrupt that the generators know."""

    def __init__(self) -> None:
        self.wanted = False
        self.child: subprocess.Popen[str] | None = None

    def take(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True
        if self.child is not None:
            self.child.send_signal(signal.SIGINT)


def _open(options: argparse.Namespace, stopping: _Stopping) -> Iterator[Row]:
    with tempfile.NamedTemporaryFile("w", suffix=".targets") as targets:
        picture = PICTURES / f"{LOAD_PICTURE}.jpg"
        targets.write(f"POST {options.url}\nContent-Type: {TYPE}\n@{picture}\n")
        targets.flush()
        vegeta = _program("vegeta")
        attack = [
            vegeta,
            "attack",
            f"-targets={targets.name}",
            f"-rate={rate_text(options.rate)}",
            "-duration=0",
        ]
        attack += [f"-timeout={ANSWER_S}s", "-max-body=0"]
        # Sessions of their own: the signal that ends the pod is for this process, which asks them to finish.
        with (
            subprocess.Popen(attack, stdout=subprocess.PIPE, text=True, start_new_session=True) as sending,
            subprocess.Popen(
                [vegeta, "encode", "-to=csv"],
                stdin=sending.stdout,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            ) as telling,
        ):
            stopping.child = sending
            if stopping.wanted:
                sending.send_signal(signal.SIGINT)
            yield from vegeta_rows(telling.stdout or ())


def _closed(options: argparse.Namespace, stopping: _Stopping) -> Iterator[Row]:
    picture = PICTURES / f"{LOAD_PICTURE}.jpg"
    command = [_program("hey"), "-c", str(options.connections), "-z", f"{HEY_ROUND_S}s", "-m", "POST"]
    command += ["-T", TYPE, "-D", str(picture), "-t", str(ANSWER_S), "-o", "csv", options.url]
    while not stopping.wanted:
        began = time.time()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as sending:
            stopping.child = sending
            yield from hey_rows(sending.stdout or (), began)


def _ask(url: str, picture: Path) -> Any:
    request = urllib.request.Request(url, picture.read_bytes(), {"Content-Type": TYPE})  # noqa: S310  # given
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
            return json.loads(answer.read())
    except (OSError, ValueError) as fault:
        return {"error": str(fault)}


def _soonest(url: str) -> float:
    """Seconds of the soonest of a few answers; the first that does not come ends it."""
    soonest = float(ANSWER_S)
    for _ in range(_TIMED):
        took_s = _timed(url)
        if took_s >= ANSWER_S:
            break
        soonest = min(soonest, took_s)
    return soonest


def _timed(url: str) -> float:
    """Seconds that one answer takes with nothing else under way; no answer tells nothing."""
    began = time.monotonic()
    answer = _ask(url, PICTURES / f"{LOAD_PICTURE}.jpg")
    return ANSWER_S if "error" in answer else time.monotonic() - began


def _program(name: str) -> str:
    """An image has it on PATH; a checkout has built it."""
    found = shutil.which(name)
    if found:
        return found
    from tools.locate import ToolMissing, locate

    try:
        return str(locate(name))
    except ToolMissing as missing:
        sys.exit(str(missing))


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="generator", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", required=True, help="the model's name, for people")
    parser.add_argument("--url", required=True, help="where predictions are asked")
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument("--rate", type=Fraction, help="requests a second, for example 0.8")
    form.add_argument("--connections", type=int, help="requests in flight")
    demand = "least CPU that the rate has to ask for, in cores that are found by timing answers"
    parser.add_argument("--least-cores", type=Fraction, help=demand)
    return parser.parse_args(words)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
