"""Which DaemonSets are counted on: those that would fit on some machine that may be bought.

One that fits on none stays pending everywhere, and no purchase changes that. To keep room for it would be to
buy nothing at all.
"""

from collections.abc import Iterable

from provisioner.core.bin_select import in_family
from provisioner.core.daemon_sets import DaemonSet
from provisioner.core.market import Catalog, largest_size
from provisioner.core.policy import Policy


def countable(daemon_sets: Iterable[DaemonSet], catalog: Catalog, policy: Policy) -> tuple[DaemonSet, ...]:
    """In their order."""
    sold = [
        offering
        for offering in catalog.offerings
        if offering.arch in policy.architectures and in_family(offering, policy)
    ]
    return tuple(
        each
        for each in daemon_sets
        if any(each.pod.requests.fits(largest_size(catalog, offering).usable) for offering in sold)
    )
