"""What a pod's annotations say of the node that may be bought for it: Luna's words, in Luna's domain and ours.

They narrow what is bought. Room that is there is used whatever they say: the scheduler knows nothing of
them, and a pod that has to keep off a node says so by selectors and affinity, which both know.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Self

from catalog import number
from catalog.accelerators import ACCELERATORS
from catalog.names import DOMAIN
from catalog.offering import CAPACITY_TYPES, Offering
from provisioner.core.market import Size
from provisioner.core.model import Pod
from provisioner.core.plan import Reason

_DOMAINS: Final = (DOMAIN, "node.elotl.co")
"""Ours first: where both say something, ours counts."""
_LONGEST: Final = 200
"""Letters in a pattern."""
_MOST_REPEATS: Final = 8
_NOT_PLAIN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
"""What a pattern may hold that only looks like a group or a repetition."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One annotation, read."""

    key: str
    """As the pod has it."""
    text: str
    value: Any

    def __str__(self) -> str:
        """As it stands in a refusal."""
        return _said(self.key, self.text)


@dataclass(frozen=True, slots=True)
class Wishes:
    """All of a pod's, by the word after the domain."""

    said: Mapping[str, Wish]

    @classmethod
    def of(cls, pod: Pod) -> Self | Reason:
        """Read from the annotations; the reason to buy nothing where one cannot be read."""
        read = _read(tuple(sorted(_relevant(pod.annotations).items())))
        return read if isinstance(read, Reason) else cls(read)

    def allow(self, offering: Offering) -> bool:
        """Whether the pod may have a node of the offering, in a size that is not too dear."""
        return all(_MEETS[word](wish.value, offering) for word, wish in self.said.items() if word in _MEETS)

    def of_these(self, offerings: Sequence[Offering]) -> Sequence[Offering] | Reason:
        """The offerings that are allowed, or the annotation that leaves none."""
        left = offerings
        for word, wish in self.said.items():
            if word in _MEETS:
                left = [offering for offering in left if _MEETS[word](wish.value, offering)]
            if not left:
                return Reason("no-offering", f"{wish} leaves nothing of what is offered")
        return left

    def why_too_dear(self, size: Size) -> Reason | None:
        """Whether one node of that size costs more than the pod may have."""
        wish = self.said.get(_MAX_COST)
        if wish is None or size.price_per_hour <= wish.value:
            return None
        return Reason("budget", f"{wish} is below the ${size.price_per_hour:f} an hour of {size}")

    @property
    def capacity_types(self) -> tuple[str, ...]:
        """What it asks for; empty: it does not say."""
        wish = self.said.get(_OFFERINGS)
        return wish.value if wish else ()


def key_of(pod: Pod) -> object:
    """What tells pods apart by their wishes."""
    return tuple(sorted(_relevant(pod.annotations).items()))


def has_any(pod: Pod) -> bool:
    """Whether annotations say anything of the pod's node."""
    return bool(_relevant(pod.annotations))


def limits_price(pod: Pod) -> bool:
    """Whether annotations limit what its node may cost, which depends on the size and not on the shape alone."""
    return any(key.endswith(f"/{_MAX_COST}") for key in _relevant(pod.annotations))


def _relevant(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """Annotations of one word only once: ours where both domains say something."""
    if not annotations:
        return annotations
    found: dict[str, str] = {}
    for word in _READ:
        for domain in _DOMAINS:
            key = f"{domain}/{word}"
            if key in annotations:
                found[key] = annotations[key]
                break
    return found


@lru_cache(maxsize=1024)
def _read(annotations: tuple[tuple[str, str], ...]) -> Mapping[str, Wish] | Reason:
    said: dict[str, Wish] = {}
    for key, text in annotations:
        word = key.partition("/")[2]
        try:
            said[word] = Wish(key, text, _READ[word](text))
        except ValueError as error:
            return Reason("no-offering", f"{_said(key, text)} {error}")
    return {word: said[word] for word in _READ if word in said}


def _said(key: str, text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[:20]}…"
    return f"its annotation {key}: {short!r}"


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise ValueError("names nothing; expected a list with commas")
    return names


def _models(text: str) -> tuple[str, ...]:
    return tuple(name.casefold() for name in _names(text))


def _capacity_types(text: str) -> tuple[str, ...]:
    names = _names(text)
    if not set(names) <= set(CAPACITY_TYPES):
        raise ValueError(f"cannot be offered; expected {' or '.join(CAPACITY_TYPES)}")
    return names


def _pattern(text: str) -> re.Pattern[str]:
    """A regular expression that is matched in a moment, whatever it is: pods come from anybody."""
    plain = _NOT_PLAIN.sub("x", text)
    if (
        len(text) > _LONGEST
        or re.search(r"\)[*+{]", plain)
        or len(re.findall("[*+?{]", plain)) > _MOST_REPEATS
    ):
        raise ValueError(
            f"repeats a group, or has more than {_MOST_REPEATS} repetitions or {_LONGEST} letters; "
            "name alternatives by | instead"
        )
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error}") from error


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text.strip(), re.ASCII):
        raise ValueError("is not a number of GPUs; expected 0 or more")
    return int(text)


def _price(text: str) -> Decimal:
    try:
        return number.exact(text.strip())
    except ValueError as error:
        raise ValueError("is not a price; expected US dollars an hour, 0 or more") from error


_OFFERINGS: Final = "instance-offerings"
_MAX_COST: Final = "instance-max-cost"
_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "instance-family-inclusions": _names,
    "instance-family-exclusions": _names,
    "instance-type-regexp": _pattern,
    "instance-gpu-skus": _models,
    _OFFERINGS: _capacity_types,
    "instance-max-gpus": _count,
    _MAX_COST: _price,
}
"""What a word's value is."""


def _is_of(families: tuple[str, ...], offering: Offering) -> bool:
    """A family of the catalog, or of the cloud where the catalog divides it by GPU (n1 of n1-t4)."""
    return any(offering.family == name or offering.family.startswith(f"{name}-") for name in families)


def _has_gpu(models: tuple[str, ...], offering: Offering) -> bool:
    """By the catalog's name of the GPU, or the cloud's."""
    if not offering.gpus:
        return False
    own = {offering.gpu_model, ACCELERATORS.get(offering.gpu_model, offering.gpu_model)}
    return any(name.casefold() in models for name in own)


_MEETS: Final[Mapping[str, Callable[[Any, Offering], bool]]] = {
    "instance-family-inclusions": _is_of,
    "instance-family-exclusions": lambda families, offering: not _is_of(families, offering),
    "instance-type-regexp": lambda pattern, offering: pattern.search(offering.machine_type) is not None,
    "instance-gpu-skus": _has_gpu,
    _OFFERINGS: lambda kinds, offering: offering.capacity_type in kinds,
    "instance-max-gpus": lambda most, offering: offering.gpus <= most,
}
"""Whether an offering is what a word asks for."""
