"""Who calls an API, and what an operation needs to be granted."""

from dataclasses import dataclass
from enum import IntEnum


class Verb(IntEnum):
    """The verbs of OCI policies; each includes the lower ones."""

    INSPECT = 1
    READ = 2
    USE = 3
    MANAGE = 4


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that an operation demands, in the words of a policy statement."""

    verb: Verb
    resource: str

    def __str__(self) -> str:
        return f"{self.verb.name.lower()} {self.resource}"


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods of one ServiceAccount in one cluster, as OKE workload identity knows them."""

    cluster_id: str
    namespace: str
    service_account: str

    def __str__(self) -> str:
        return f"workload {self.namespace}/{self.service_account} of {self.cluster_id}"


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: the account's own user, or a workload."""

    name: str
    workload: Workload | None = None
