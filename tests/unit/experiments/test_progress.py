"""What a run shows: a line for each variant, not too many of them without a terminal."""

import io
from decimal import Decimal

from rich.console import Console

from experiments.progress import LiveBoard, PlainBoard, Status, board

IDLE = Status("Both models idle", "30 s without change, 2 so far", "vgg16 1", 6, Decimal("7.786"))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def plain(clock: Clock) -> tuple[PlainBoard, io.StringIO]:
    out = io.StringIO()
    return PlainBoard(Console(file=out, width=40), clock), out


def test_without_a_terminal_a_variants_progress_is_a_whole_line() -> None:
    clock = Clock()
    lines, out = plain(clock)
    clock.now += 65
    lines.show("max-sized", IDLE)
    assert out.getvalue() == (
        "   1:05  max-sized: Both models idle; vgg16 1, 6 nodes, $7.7860/h; waits for 30 s without change, 2 so far\n"
    )


def test_while_a_variant_waits_a_line_now_and_then_is_enough() -> None:
    clock = Clock()
    lines, out = plain(clock)
    for _ in range(60):
        lines.show("dynamic", Status("Both models idle", f"at {clock.now:.0f}"))
        clock.now += 1
    assert len(out.getvalue().splitlines()) == 6


def test_going_on_is_said_at_once_and_for_each_variant() -> None:
    lines, out = plain(Clock())
    for doing in ("up", "Both models idle", "destroy"):
        for variant in ("dynamic", "max-sized"):
            lines.show(variant, Status(doing))
    assert len(out.getvalue().splitlines()) == 6


def test_the_same_status_is_not_said_twice() -> None:
    clock = Clock()
    lines, out = plain(clock)
    lines.show("dynamic", Status("done"))
    clock.now += 1000
    lines.show("dynamic", Status("done"))
    assert len(out.getvalue().splitlines()) == 1


def test_on_a_terminal_every_variant_has_its_latest_row() -> None:
    clock = Clock()
    live = LiveBoard(clock)
    live.show("max-sized", Status("up", "3 resources"))
    live.show("max-sized", IDLE)
    live.show("dynamic", Status("up", "1 resources, now vcn"))
    clock.now += 65
    console = Console(file=io.StringIO(), width=120, record=True)
    console.print(live.render())
    text = console.export_text().splitlines()
    assert text[0].split() == ["1:05", "at", "replicas", "nodes", "$/h", "waits", "for"]
    assert "Both models idle" in text[1]
    assert "7.7860" in text[1]
    assert "now vcn" in text[2]


def test_the_board_fits_the_console() -> None:
    with board(Console(file=io.StringIO()), Clock()) as without:
        assert isinstance(without, PlainBoard)
    with board(Console(file=io.StringIO(), force_terminal=True), Clock()) as terminal:
        assert isinstance(terminal, LiveBoard)
