import threading

from emulator.kube.turn import Turn

GOING_ON = threading.Event()


def test_one_starts_after_the_other() -> None:
    places = threading.Semaphore(1)
    first, second = Turn(places), Turn(places)
    first.take(GOING_ON)
    began = threading.Event()

    def wait() -> None:
        second.take(GOING_ON)
        began.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not began.is_set()

    first.give_back()

    assert began.wait(10)
    waiting.join()


def test_a_place_is_given_back_once() -> None:
    places = threading.Semaphore(1)
    turn = Turn(places)
    turn.take(GOING_ON)
    turn.give_back()
    turn.give_back()

    assert places.acquire(blocking=False)
    assert not places.acquire(blocking=False)


def test_who_is_to_end_waits_for_no_place() -> None:
    ending = threading.Event()
    ending.set()
    turn = Turn(threading.Semaphore(0))

    turn.take(ending)

    assert not turn.overdue


def test_others_wait_for_nobody() -> None:
    turn = Turn(None)
    turn.take(GOING_ON)
    turn.give_back()
