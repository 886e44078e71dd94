"""OCI policy statements: parsed, and asked whether they let a workload do something.

The part of the language that concerns workloads: `Allow any-user to VERB RESOURCE in compartment id
OCID where ALL {request.principal.type='workload', …}`. Statements for groups and services are
accepted and grant nothing to a workload.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from emulator.oci.errors import invalid
from emulator.oci.principal import Need, Verb, Workload

_STATEMENT: Final = re.compile(
    r"^\s*allow\s+(?P<subject>any-user|any-group|(?:dynamic-group|group|service)\s+.+?)"
    r"\s+to\s+(?P<verb>inspect|read|use|manage)\s+(?P<resource>[\w-]+)"
    r"\s+in\s+(?P<place>tenancy|compartment\s+(?:id\s+)?[\w.:-]+)"
    r"(?:\s+where\s+(?P<condition>.+?))?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_ALL_OR_ANY: Final = re.compile(r"^(?P<how>all|any)\s*\{(?P<terms>.*)\}$", re.IGNORECASE | re.DOTALL)
_TERM: Final = re.compile(r"^\s*(?P<name>[\w.-]+)\s*(?P<operator>!=|=)\s*'(?P<value>[^']*)'\s*$")

_FAMILIES: Final[Mapping[str, frozenset[str]]] = {
    "cluster-family": frozenset(
        {"clusters", "cluster-node-pools", "cluster-virtualnode-pools", "cluster-work-requests"}
    ),
    "instance-family": frozenset({"instances", "instance-images", "instance-family"}),
    "virtual-network-family": frozenset(
        {"vcns", "subnets", "vnics", "network-security-groups", "private-ips", "route-tables"}
    ),
}


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison of a condition."""

    name: str
    equal: bool
    value: str

    def holds(self, variables: Mapping[str, str]) -> bool:
        """Whether it is true; a variable that is not known makes it false, as on OCI."""
        known = variables.get(self.name)
        return known is not None and (known == self.value) == self.equal


@dataclass(frozen=True, slots=True)
class Statement:
    """A policy statement."""

    subject: str
    verb: Verb
    resource: str
    place: str
    """`tenancy`, or a compartment's name or OCID."""
    terms: tuple[Term, ...] = ()
    combine: Callable[[Iterable[bool]], bool] = all

    def grants(self, need: Need, workload: Workload) -> bool:
        """Whether it lets the workload do that, wherever it applies."""
        return (
            self.subject == "any-user"
            and self.verb >= need.verb
            and _covers(self.resource, need.resource)
            and self.combine(term.holds(_variables(workload)) for term in self.terms)
        )


def parse(text: str) -> Statement:
    """A statement of a policy.

    Raises:
        ApiError: 400 quoting the statement and what cannot be read in it.
    """
    match = _STATEMENT.match(text)
    if match is None:
        raise invalid(
            f"statements: cannot parse '{text}'; expected 'Allow SUBJECT to VERB RESOURCE in PLACE [where CONDITION]'"
        )
    combine, terms = _condition(match["condition"] or "all {}", text)
    return Statement(
        subject=match["subject"].lower(),
        verb=Verb[match["verb"].upper()],
        resource=match["resource"].lower(),
        place=re.sub(r"^compartment\s+(id\s+)?", "", match["place"], flags=re.IGNORECASE).strip(),
        terms=terms,
        combine=combine,
    )


def _condition(text: str, statement: str) -> tuple[Callable[[Iterable[bool]], bool], tuple[Term, ...]]:
    grouped = _ALL_OR_ANY.match(text.strip())
    inside = grouped["terms"] if grouped else text
    parts = [part for part in inside.split(",") if part.strip()]
    terms = []
    for part in parts:
        match = _TERM.match(part)
        if match is None:
            raise invalid(f"statements: cannot parse condition '{part.strip()}' of '{statement}'")
        terms.append(Term(match["name"].lower(), match["operator"] == "=", match["value"]))
    return (any if grouped and grouped["how"].lower() == "any" else all), tuple(terms)


def _covers(granted: str, needed: str) -> bool:
    return granted in {needed, "all-resources"} or needed in _FAMILIES.get(granted, ())


def _variables(workload: Workload) -> Mapping[str, str]:
    return {
        "request.principal.type": "workload",
        "request.principal.namespace": workload.namespace,
        "request.principal.service_account": workload.service_account,
        "request.principal.cluster_id": workload.cluster_id,
    }
