"""Required node affinities put together: a pod's own, and what its volumes or the policy add."""

from itertools import product

from provisioner.core.model import NodeTerm

Alternatives = tuple[NodeTerm, ...] | None
"""Terms of which one has to hold; None: anywhere."""


def both(one: Alternatives, other: Alternatives) -> Alternatives:
    """Terms that hold where both do; an empty term meets nothing."""
    if one is None or other is None:
        return other if one is None else one
    pairs = ((a, b) for a, b in product(one, other) if (a.labels or a.fields) and (b.labels or b.fields))
    return tuple(NodeTerm((*a.labels, *b.labels), (*a.fields, *b.fields)) for a, b in pairs)
