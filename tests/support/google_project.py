"""A Google project as the preflight surveys it: room for everything, unless a test says otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog.accelerators import ACCELERATORS
from catalog.loader import bundled
from stacks.gke_survey import Question, Quota, Survey, Zone

PLENTY = Quota(limit=1000, usage=0)
REGIONAL = ("CPUS", "T2A_CPUS", "N2D_CPUS", "NVIDIA_T4_GPUS", "NVIDIA_L4_GPUS")
EVERYWHERE = ("CPUS_ALL_REGIONS", "GPUS_ALL_REGIONS")


def zone(name: str) -> Zone:
    """What the catalog sells in a zone."""
    rows = [row for row in bundled("gke") if name in row.zones]
    return Zone(
        machine_types=frozenset(row.machine_type for row in rows),
        accelerators=frozenset(ACCELERATORS[row.gpu_model] for row in rows if row.gpus),
    )


def survey_of(question: Question) -> Survey:
    """A fresh project with room for everything."""
    return Survey(
        zones={name: zone(name) for name in question.zones},
        regional=dict.fromkeys(REGIONAL, PLENTY),
        everywhere=dict.fromkeys(EVERYWHERE, PLENTY),
        built="",
    )


class Project:
    """Answers a survey; remembers what was asked."""

    def __init__(self, zones: Mapping[str, Zone] | None = None, **changes: Any) -> None:
        self.questions: list[Question] = []
        self._zones = zones or {}
        self._changes = changes

    def survey(self, question: Question) -> Survey:
        """As the test wants it."""
        self.questions.append(question)
        found = survey_of(question)
        changes: dict[str, Any] = {
            key: {**getattr(found, key), **value} if isinstance(value, Mapping) else value
            for key, value in self._changes.items()
        }
        return replace(found, zones={**found.zones, **self._zones}, **changes)
