"""What is done to instance groups: by their own API, by node pools, by the cloud's autoscaler."""

from collections.abc import Callable, Sequence
from typing import Final

from emulator.gcp import instances, pace
from emulator.gcp.errors import invalid
from emulator.gcp.state import STOPPING, Cluster, Group, Instance, NodePool
from emulator.gcp.world import World

MOST_PER_CALL: Final = 1000


class Groups:
    """Changes of sizes; the caller holds the cloud's lock, what follows goes on in the background."""

    def __init__(self, world: World) -> None:
        self._world = world

    def resize(self, cluster: Cluster, pool: NodePool, group: Group, size: int) -> None:
        """Bring a group to a size; what goes is the cloud's choice."""
        group.target = size
        leaving = instances.mark(group, instances.victims(group, len(group.staying()) - size))
        self._follow(cluster, group, leaving, instances.fill(self._world, cluster, pool, group))

    def delete(self, cluster: Cluster, group: Group, names: Sequence[str], *, skip_unknown: bool) -> None:
        """Remove chosen instances; the group shrinks by as many.

        Raises:
            ApiError: 400 for names that are not of this group, or on their way out already.
        """
        if len(names) > MOST_PER_CALL:
            raise invalid(f"instances: {len(names)} names; at most {MOST_PER_CALL} a call")
        staying = {instance.name: instance for instance in group.staying()}
        unknown = [name for name in names if name not in staying]
        if unknown and not skip_unknown:
            raise invalid(
                f"Invalid value for field 'instances': {', '.join(unknown)}: not a member of {group.name}, "
                "or being deleted"
            )
        chosen = [staying[name] for name in dict.fromkeys(names) if name in staying]
        group.target -= len(chosen)
        self._follow(cluster, group, instances.mark(group, chosen), [])

    def replace(self, cluster: Cluster, pool: NodePool, group: Group, instance: Instance) -> None:
        """End an instance as if it had failed: the group launches another one in its place."""
        leaving = instances.mark(group, [instance])
        self._follow(cluster, group, leaving, instances.fill(self._world, cluster, pool, group))

    def vanish(self, cluster: Cluster, pool: NodePool, group: Group, instance: Instance) -> None:
        """A machine is gone at once; the group notices, and launches another one in its place."""
        world = self._world
        instances.terminate(world, group, instance)
        self._run(
            f"{instance.name} has vanished", lambda: instances.kube_of(cluster).lose_node(instance.name)
        )
        self._follow(cluster, group, [], instances.fill(world, cluster, pool, group))

    def preempt(self, cluster: Cluster, pool: NodePool, group: Group, instance: Instance) -> None:
        """A spot machine shuts down within its notice; then the group tries to have another one."""
        world = self._world
        instances.mark(group, [instance])

        def go_on() -> None:
            instances.kube_of(cluster).shut_node(instance.name, pace.notice_s(cluster.pace))
            with world.lock:
                instances.terminate(world, group, instance)
                launched = instances.fill(world, cluster, pool, group)
            instances.boot(world, cluster, launched)

        self._run(f"{instance.name} is preempted", go_on)

    def grow(self, cluster: Cluster, pool: NodePool, group: Group, by: int) -> list[Instance]:
        """Grow a group as the autoscaler does, which gives up at once what cannot be had.

        Returns:
            what cannot be had, with its reason.
        """
        group.target += by
        launched = instances.fill(self._world, cluster, pool, group)
        waiting = [instance for instance in group.staying() if not instance.exists]
        instances.mark(group, waiting)
        group.target -= len(waiting)
        self._follow(cluster, group, [], launched)
        return waiting

    def retry(self) -> None:
        """Try again to launch what could not be had before."""
        world = self._world
        with world.lock:
            for cluster, pool, group in world.groups():
                lacks = any(not instance.exists for instance in group.staying())
                if lacks and cluster.usable and pool.status != STOPPING:
                    self._follow(cluster, group, [], instances.fill(world, cluster, pool, group))

    def _follow(
        self,
        cluster: Cluster,
        group: Group,
        leaving: Sequence[Instance],
        launched: Sequence[Instance],
    ) -> None:
        world = self._world
        if leaving:
            self._run(f"take out of {group.name}", lambda: instances.take_out(world, cluster, group, leaving))
        if launched:
            self._run(f"boot in {group.name}", lambda: instances.boot(world, cluster, launched))

    def _run(self, name: str, carry_out: Callable[[], None]) -> None:
        self._world.background.run(name, carry_out, lambda _fault: None)
