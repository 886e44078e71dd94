"""Whether a machine may be launched: service limits, and what there is."""

from collections.abc import Iterator, Mapping
from typing import Final

from catalog.oke_limits import GIB, GPUS, LIMITS, OCPUS, Limit
from emulator.cloud.errors import OperationFailed
from emulator.cloud.fault import Quota
from emulator.oci import account
from emulator.oci.shapes import Machine, Shapes
from emulator.oci.state import DELETED
from emulator.oci.world import World

LIMITS_BY_NAME: Final[Mapping[str, Limit]] = {
    limit.name: limit for limits in LIMITS.values() for limit in limits
}


def check(world: World, machine: Machine, availability_domain: str) -> None:
    """Refuse what cannot be launched now; the caller holds the lock.

    Raises:
        OperationFailed: in the words in which a node pool passes on the compute service's.
    """
    now = world.clock.now()
    exceeded = tuple(_exceeded(world, machine, availability_domain))
    if exceeded:
        world.faults.note(Quota, machine.shape, now)
        names = ", ".join(limit.name for limit in exceeded)
        raise _failed(
            400,
            "LimitExceeded",
            f"The following service limits were exceeded: {names}. "
            "Request a service limit increase from the service limits page in the console.",
        )
    if world.faults.is_sold_out(machine.shape, account.zone_of(availability_domain), now):
        raise _failed(500, "InternalError", "Out of host capacity.")


def allowed(world: World, limit: Limit) -> int:
    """How many of what a limit counts the account may have in an availability domain."""
    most = account.SERVICE_LIMIT
    for shape, quota in world.faults.quotas(world.clock.now()).items():
        if counted_in(world.shapes, shape) == limit:
            most = quota
    return most


def counted_in(shapes: Shapes, shape: str) -> Limit | None:
    """The limit of a shape's cores, or GPUs; None when its family has none."""
    return next(iter(LIMITS.get(shapes.family(shape), ())), None)


def used(world: World, limit: Limit, availability_domain: str) -> int:
    """How many of what a limit counts there are in an availability domain."""
    return sum(
        _amount(instance.machine, limit.unit)
        for pool in world.pools.values()
        for instance in pool.instances.values()
        if instance.state != DELETED
        and instance.availability_domain == availability_domain
        and limit in LIMITS.get(world.shapes.family(instance.machine.shape), ())
    )


def _exceeded(world: World, machine: Machine, availability_domain: str) -> Iterator[Limit]:
    for limit in LIMITS.get(world.shapes.family(machine.shape), ()):
        wanted = used(world, limit, availability_domain) + _amount(machine, limit.unit)
        if wanted > allowed(world, limit):
            yield limit


def _amount(machine: Machine, unit: str) -> int:
    return {OCPUS: machine.ocpus, GIB: machine.memory_gib, GPUS: machine.gpus}[unit]


def _failed(status: int, code: str, message: str) -> OperationFailed:
    launch = (
        f"Error returned by LaunchInstance operation in Compute service.({status}, {code}, false) {message}"
    )
    return OperationFailed(code, f"Reason for failure on one of the nodes : {launch}")
