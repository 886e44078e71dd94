"""A live copy of one collection of the API server, kept by a watch.

Every controller reads from such copies and is woken by their changes, so that an idle cluster
costs the daemon nothing. A broken watch (the API server restarted, the version is too old) is
followed by a new list; what changed meanwhile is reported like any other change.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from emulator.kube.api import Api, ApiError, Object, Watch
from emulator.kube.guard import survives

T = TypeVar("T")
Listener = Callable[[str, T | None], None]
"""Called with a key, `namespace/name` or `name`, and its new value; None when it is gone."""

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_log = logging.getLogger(__name__)


class Cache(Generic[T]):
    """One collection, each object parsed at once into a small value.

    Listeners run in the watching thread, one after another, and must not block.
    """

    def __init__(self, api: Api, path: str, parse: Callable[[Object], T]) -> None:
        self._api = api
        self._path = path
        self._parse = parse
        self._items: dict[str, T] = {}
        self._listeners: list[Listener[T]] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._synced = threading.Event()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)

    def listen(self, listener: Listener[T]) -> None:
        """Report every change from now on; before `start`, that is everything there is."""
        self._listeners.append(listener)

    def start(self, timeout_s: float = 30.0) -> None:
        """Begin, and return when the first list is in.

        Raises:
            ApiError: it did not come in time.
        """
        self._thread.start()
        if not self._synced.wait(timeout_s):
            raise ApiError(0, f"{self._path}: could not be listed within {timeout_s:.0f} s")

    def stop(self) -> None:
        """End the watch and its thread."""
        self._stopped.set()
        watch = self._watch
        if watch is not None:
            watch.close()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def items(self) -> Mapping[str, T]:
        """A copy of what is there now."""
        with self._lock:
            return dict(self._items)

    def find(self, key: str) -> T | None:
        """One object, None when it is not there."""
        with self._lock:
            return self._items.get(key)

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopped.is_set():
            began = time.monotonic()
            survives(f"watch {self._path}", self._list_and_follow)
            # Only failing at once is a reason for patience.
            pause_s = _FIRST_PAUSE_S if time.monotonic() - began > _LONGEST_PAUSE_S else 2 * pause_s
            self._stopped.wait(min(pause_s, _LONGEST_PAUSE_S))

    def _list_and_follow(self) -> None:
        try:
            self._follow(self._list())
        except ApiError as fault:
            _log.debug("%s: watch broken, listing again: %s", self._path, fault)

    def _list(self) -> str:
        answer = self._api.get(self._path)
        fresh = {key_of(item): self._parse(item) for item in answer["items"]}
        with self._lock:
            old = self._items
            self._items = dict(fresh)
        for key in old.keys() - fresh.keys():
            self._report(key, None)
        for key, value in fresh.items():
            if old.get(key) != value:
                self._report(key, value)
        self._synced.set()
        version: str = answer["metadata"]["resourceVersion"]
        return version

    def _follow(self, version: str) -> None:
        """Take events until the watch ends; a regular end (its time is over) goes on from the last version."""
        while not self._stopped.is_set():
            self._watch = self._api.watch(self._path, version)
            for kind, item in self._watch:
                if kind == "ERROR":
                    raise ApiError(item.get("code", 0), item.get("message", ""))
                version = item["metadata"]["resourceVersion"]
                if kind != "BOOKMARK":
                    self._take(key_of(item), None if kind == "DELETED" else self._parse(item))

    def _take(self, key: str, value: T | None) -> None:
        with self._lock:
            if self._items.get(key) == value:
                return
            if value is None:
                self._items.pop(key, None)
            else:
                self._items[key] = value
        self._report(key, value)

    def _report(self, key: str, value: T | None) -> None:
        for listener in self._listeners:
            listener(key, value)


def key_of(item: Object) -> str:
    """`namespace/name`, or `name` outside namespaces."""
    metadata = item["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])
