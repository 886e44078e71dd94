"""A plan as the JSON document that `plan --json` promises."""

from typing import Any

from provisioner.core.plan import Plan, PlannedNode, RunnerUp


def document(plan: Plan, elapsed_s: float) -> dict[str, Any]:
    """Prices in US dollars an hour, CPU in millicores, memory in bytes, times in seconds.

    The lower bound is that of the optimal problem, in every mode.
    """
    return {
        "mode": plan.mode,
        "price_per_hour": float(plan.price_per_hour),
        "lower_bound_per_hour": float(plan.lower_bound_per_hour),
        "gap": float(plan.gap),
        "elapsed_s": round(elapsed_s, 6),
        "nodes": [_node(planned) for planned in plan.nodes],
        "existing": [
            {"node": placement.node, "pods": [pod.key for pod in placement.pods]}
            for placement in plan.existing
        ],
        "unplaced": [
            {
                "pod": unplaced.pod.key,
                "reasons": [{"code": reason.code, "text": reason.text} for reason in unplaced.reasons],
            }
            for unplaced in plan.unplaced
        ],
    }


def _node(planned: PlannedNode) -> dict[str, Any]:
    size = planned.size
    return {
        "shape": size.offering.shape,
        "cpu_millicores": size.cpu_millicores,
        "memory_bytes": size.memory_bytes,
        "gpus": size.offering.gpus,
        "arch": size.offering.arch,
        "zone": size.zone,
        "capacity_type": size.offering.capacity_type,
        "price_per_hour": float(size.price_per_hour),
        "allocatable": {
            "cpu_millicores": size.usable.cpu_millicores,
            "memory_bytes": size.usable.memory_bytes,
            "pods": size.usable.pods,
        },
        "pods": [pod.key for pod in planned.pods],
        "runner_up": _runner_up(planned.runner_up),
    }


def _runner_up(other: RunnerUp | None) -> dict[str, Any] | None:
    if other is None:
        return None
    return {
        "shape": other.size.offering.shape,
        "cpu_millicores": other.size.cpu_millicores,
        "memory_bytes": other.size.memory_bytes,
        "price_per_hour": float(other.size.price_per_hour),
        "why_not": other.why_not,
    }
