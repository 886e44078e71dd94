"""Why no size holds what is asked for: what is lacking, how much of it, and the most that any machine has."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import reduce
from itertools import groupby
from typing import Final

from catalog.allocatable import GIB
from catalog.offering import Offering
from catalog.volumes import are_attachments
from provisioner.core.market import EPHEMERAL_STORAGE, Catalog, cheapest_size, largest_size
from provisioner.core.plan import Reason
from provisioner.core.pools import Place
from provisioner.core.resources import NOTHING, Resources

_OWN: Final = ("cpu", "memory", "gpu", "pods")
"""Names of the amounts that every machine has."""
_COUNTED: Final = {"gpu": "GPU", "pods": "pod"}


def why_no_size(asked: Resources, places: Iterable[tuple[Offering, Place]], catalog: Catalog) -> Reason:
    """The reason, given every offering in every place where it may be bought; no size of any holds it."""
    pairs = ((offering, catalog.lost(offering, place)) for offering, place in places)
    # Mostly alike in all zones: they are looked at once.
    lots = [lot for lot, _ in groupby(pairs)]
    most = reduce(Resources.largest, (largest_size(catalog, each).usable - lost for each, lost in lots))

    def is_sold(amounts: Resources) -> bool:
        return any(cheapest_size(catalog, offering, lost, amounts) for offering, lost in lots)

    names = [name for name in asked.lacking(NOTHING) if not are_attachments(name)]
    if is_sold(_only(asked, names)):
        return Reason("volume", "no machine that it may use takes as many volumes as it mounts")
    lacking = [name for name in asked.lacking(most) if name in names]
    if lacking:
        told = (
            f"{words_of(asked, name)} (the most is {_number(name, max(0, _amount(most, name)))})"
            for name in lacking
        )
        return Reason("too-large", f"it asks for {' and '.join(told)}; no size that it may use holds that")
    together = " and ".join(words_of(asked, name) for name in _clashing(asked, names, is_sold))
    return Reason("too-large", f"it asks for {together}; no size that it may use holds that together")


def words_of(amounts: Resources, name: str) -> str:
    """One of the amounts, by its name: `3250m CPU`, `7516192768 bytes (7 GiB) of memory`, `1 example.com/foo`."""
    amount = _amount(amounts, name)
    number = _number(name, amount)
    if name in _COUNTED:
        return f"{number} {_COUNTED[name]}{'s' if amount != 1 else ''}"
    return f"{number} of {name}" if _is_bytes(name) else f"{number} {'CPU' if name == 'cpu' else name}"


def _clashing(asked: Resources, names: Sequence[str], is_sold: Callable[[Resources], bool]) -> list[str]:
    """As few of the names as no machine has together."""
    needed = list(names)
    for name in names:
        fewer = [each for each in needed if each != name]
        if not is_sold(_only(asked, fewer)):
            needed = fewer
    return needed


def _only(asked: Resources, names: Collection[str]) -> Resources:
    """The amounts of those names."""
    cpu, memory, gpus, pods = (_amount(asked, name) * (name in names) for name in _OWN)
    others = {name: amount for name, amount in asked.extended.items() if name in names}
    return Resources(cpu, memory, gpus, pods, others)


def _amount(amounts: Resources, name: str) -> int:
    own = (amounts.cpu_millicores, amounts.memory_bytes, amounts.gpus, amounts.pods)
    return own[_OWN.index(name)] if name in _OWN else amounts.extended.get(name, 0)


def _number(name: str, amount: int) -> str:
    if name == "cpu":
        return f"{amount}m"
    return f"{amount} bytes ({amount / GIB:.4g} GiB)" if _is_bytes(name) else str(amount)


def _is_bytes(name: str) -> bool:
    return name in {"memory", EPHEMERAL_STORAGE} or name.startswith("hugepages-")
