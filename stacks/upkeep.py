"""How the provisioner keeps its nodes: room that stays free, how old they may become, how many leave at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.core.policy import REASONS
from stacks.reader import Reader

_NODES: Final = r"\d{1,6}|(\d{1,2}|100)%"


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Settings of the provisioner's policy that say nothing of what is bought for pods."""

    replaces_nodes: bool
    """Whether nodes are replaced that are too old, or would be made otherwise today."""
    document: Mapping[str, Any]
    """As the provisioner's own settings name them; what is left out has its default there."""


def read_upkeep(reader: Reader) -> Upkeep:
    """From the section `provisioner`."""
    expires, drifted = reader.optional_integer("expireAfterSeconds", least=60), reader.flag("replaceDrifted")
    document = {
        "expire_after_s": expires,
        "replace_drifted": drifted or None,
        "drain_timeout_s": reader.optional_integer("drainTimeoutSeconds", least=1),
        "headroom": _headroom(reader.section("headroom")),
        "node_budgets": _budgets(reader.section("budgets")) or None,
    }
    said = {key: value for key, value in document.items() if value is not None}
    return Upkeep(expires is not None or drifted, said)


def _headroom(reader: Reader) -> dict[str, Any] | None:
    pods, percent = reader.integer("pods", 0), reader.integer("percent", 0, most=1000)
    if pods and percent:
        reader.fault("percent", percent, "must not stand beside pods", "keep one of the two")
    if pods:
        cpu, memory = reader.millicores("cpu"), reader.memory_bytes("memory")
        found: dict[str, Any] = {"pods": pods, "cpu": f"{cpu}m", "memory": memory}
    else:
        found = {"percent": percent}
        for key in filter(reader.has, ("cpu", "memory")):
            reader.fault(key, reader.peek(key), "is the size of pods", "say how many with pods")
    reader.close()
    return found if pods or percent else None


def _budgets(reader: Reader) -> list[dict[str, Any]]:
    return [_budget(reader.section(name)) for name in reader.names()]


def _budget(reader: Reader) -> dict[str, Any]:
    schedule, is_scheduled = reader.cron("schedule"), reader.has("schedule")
    budget = {
        "nodes": _nodes(reader),
        "reasons": list(reader.texts("reasons", options=REASONS)),
        "schedule": schedule,
        "duration_s": reader.integer("durationSeconds", 0),
    }
    if is_scheduled != bool(budget["duration_s"]):
        reader.fault("schedule", schedule, "must stand beside durationSeconds", "give both, or neither")
    reader.close()
    return budget


def _nodes(reader: Reader) -> int | str:
    if isinstance(reader.peek("nodes"), int):
        return reader.integer("nodes", 0)
    return reader.required(
        "nodes",
        pattern=_NODES,
        expectation="must be a number of nodes, or per cent of them",
        way_out="for example 1, or 10%",
    )
