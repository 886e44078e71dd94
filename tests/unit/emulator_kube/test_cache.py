from collections.abc import Iterator
from typing import Any

import pytest

from emulator.kube.api import ApiError, Object
from emulator.kube.cache import Cache
from tests.support.until import until

PATH = "/api/v1/things"


def thing(name: str, value: str, version: str = "1") -> Object:
    return {"metadata": {"namespace": "ns", "name": name, "resourceVersion": version}, "value": value}


class FakeWatch:
    def __init__(self, events: list[tuple[str, Object]], *, broken: bool) -> None:
        self._events = events
        self._broken = broken

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        yield from self._events
        if self._broken:
            raise ApiError(0, "connection lost")

    def close(self) -> None:
        return


class FakeApi:
    """Answers lists and watches in turn; when there is no more, the last list stays."""

    def __init__(self, lists: list[list[Object] | ApiError], watches: list[FakeWatch]) -> None:
        self.lists = lists
        self.watches = watches
        self.watched_from: list[str] = []

    def get(self, _path: str) -> Object:
        answer = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(answer, ApiError):
            raise answer
        return {"metadata": {"resourceVersion": "10"}, "items": answer}

    def watch(self, _path: str, version: str) -> FakeWatch:
        self.watched_from.append(version)
        return self.watches.pop(0) if self.watches else FakeWatch([], broken=True)


@pytest.fixture
def seen() -> list[tuple[str, str | None]]:
    return []


def cache_of(api: FakeApi, seen: list[tuple[str, str | None]]) -> Cache[str]:
    def parse(item: Object) -> str:
        return str(item["value"])

    cache: Cache[str] = Cache(api, PATH, parse)  # type: ignore[arg-type]  # a fake
    cache.listen(lambda key, value: seen.append((key, value)))
    return cache


def run(cache: Cache[str], seen: list[Any], count: int) -> None:
    cache.start()
    try:
        until(f"{count} reports", lambda: len(seen) >= count, timeout_s=5)
    finally:
        cache.stop()


def test_what_is_there_and_what_changes_is_reported(seen: list[tuple[str, str | None]]) -> None:
    events = [
        ("ADDED", thing("b", "new", "11")),
        ("MODIFIED", thing("a", "other", "12")),
        ("BOOKMARK", {"metadata": {"resourceVersion": "13"}}),
        ("DELETED", thing("a", "other", "14")),
    ]
    api = FakeApi([[thing("a", "old")], [thing("b", "new")]], [FakeWatch(events, broken=True)])
    cache = cache_of(api, seen)
    run(cache, seen, 4)
    assert seen[:4] == [("ns/a", "old"), ("ns/b", "new"), ("ns/a", "other"), ("ns/a", None)]
    assert cache.find("ns/b") == "new"
    assert cache.items() == {"ns/b": "new"}


def test_after_a_broken_watch_only_differences_are_reported(seen: list[tuple[str, str | None]]) -> None:
    lists: list[list[Object] | ApiError] = [
        [thing("same", "1"), thing("changed", "1"), thing("gone", "1")],
        ApiError(0, "away"),
        [thing("same", "1"), thing("changed", "2")],
    ]
    run(cache_of(FakeApi(lists, []), seen), seen, 5)
    assert sorted(seen[3:], key=str) == [("ns/changed", "2"), ("ns/gone", None)]


def test_a_watch_that_ends_in_good_order_goes_on_from_its_last_version(
    seen: list[tuple[str, str | None]],
) -> None:
    watches = [
        FakeWatch([("ADDED", thing("a", "1", "11"))], broken=False),
        FakeWatch([("ADDED", thing("b", "1", "12"))], broken=True),
    ]
    api = FakeApi([[], [thing("a", "1"), thing("b", "1")]], watches)
    run(cache_of(api, seen), seen, 2)
    assert api.watched_from[:2] == ["10", "11"]


def test_a_version_that_is_too_old_leads_to_a_new_list(seen: list[tuple[str, str | None]]) -> None:
    gone = FakeWatch([("ERROR", {"code": 410, "message": "too old"})], broken=False)
    run(cache_of(FakeApi([[thing("a", "1")], [thing("a", "2")]], [gone]), seen), seen, 2)
    assert seen[:2] == [("ns/a", "1"), ("ns/a", "2")]


def test_a_change_that_makes_no_difference_to_the_value_is_not_reported(
    seen: list[tuple[str, str | None]],
) -> None:
    events = [("MODIFIED", thing("a", "1", "11")), ("MODIFIED", thing("a", "2", "12"))]
    run(
        cache_of(FakeApi([[thing("a", "1")], [thing("a", "2")]], [FakeWatch(events, broken=True)]), seen),
        seen,
        2,
    )
    assert seen[:2] == [("ns/a", "1"), ("ns/a", "2")]
