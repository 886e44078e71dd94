"""An Oracle tenancy as the preflight surveys it: room for everything, unless a test says otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stacks.oke_survey import Question, Room, Survey

PLENTY = Room(available=1000, used=0)


class Tenancy:
    """Answers a survey; remembers what was asked."""

    def __init__(self, rooms: Mapping[tuple[str, str], Room | None] | None = None, **changes: Any) -> None:
        """A room of None is one that does not tell."""
        self.questions: list[Question] = []
        self._rooms = rooms or {}
        self._changes = changes

    def survey(self, question: Question) -> Survey:
        """As the test wants it."""
        self.questions.append(question)
        every = {(limit, domain): PLENTY for limit in question.limits for domain in question.domains}
        rooms = {key: room for key, room in {**every, **self._rooms}.items() if room is not None}
        return replace(Survey(rooms, built=False), **self._changes)
