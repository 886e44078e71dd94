"""How often a call is made again, and how long is waited."""

from collections.abc import Callable

import pytest

from provisioner.drivers.again import FIRST_WAIT_S, LONGEST_S, LONGEST_WAIT_S, TRIES, Again
from provisioner.drivers.contract import Denied, DriverError, Gone, NoCapacity, Retry, Trouble

TROUBLE = Trouble("503", 5)


class Call:
    """Raises the given errors, then answers; each try takes so many seconds."""

    def __init__(self, *errors: DriverError, takes_s: float = 0, chance: float = 1) -> None:
        self.errors = list(errors)
        self.takes_s = takes_s
        self.now = 0.0
        self.waits: list[float] = []
        self.tries = 0
        self.again = Again(self._sleep, lambda: chance, lambda: self.now)

    def made(self) -> str:
        return self.again(self._act)

    def _act(self) -> str:
        self.tries += 1
        self.now += self.takes_s
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_what_succeeds_is_asked_once() -> None:
    call = Call()
    assert (call.made(), call.tries, call.waits) == ("answer", 1, [])


def test_trouble_that_passes_is_not_noticed() -> None:
    call = Call(TROUBLE, TROUBLE)
    assert (call.made(), call.tries) == ("answer", 3)


def test_waits_double_up_to_the_longest() -> None:
    call = Call(*[TROUBLE] * (TRIES - 1))
    call.made()
    assert call.waits == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]


def test_waits_are_by_chance_from_nothing_on() -> None:
    call = Call(*[TROUBLE] * (TRIES - 1), chance=0)
    call.made()
    assert call.waits == [0] * (TRIES - 1)


def test_trouble_that_stays_is_told_after_a_few_tries() -> None:
    call = Call(*[TROUBLE] * 100)
    with pytest.raises(Trouble, match="503"):
        call.made()
    assert call.tries == TRIES


@pytest.mark.parametrize(("takes_s", "tries"), [(LONGEST_S, 1), (20, 2)])
def test_calls_that_take_long_are_made_less_often(takes_s: float, tries: int) -> None:
    call = Call(*[TROUBLE] * 100, takes_s=takes_s)
    with pytest.raises(Trouble):
        call.made()
    assert call.tries == tries


@pytest.mark.parametrize("kind", [NoCapacity, Gone, Denied, lambda said: Retry(said, 5)])
def test_what_is_no_trouble_is_not_insisted_on(kind: Callable[[str], DriverError]) -> None:
    call = Call(kind("said"))
    with pytest.raises(DriverError, match="said"):
        call.made()
    assert call.tries == 1
