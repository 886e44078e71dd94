"""Workload identity: as whom a ServiceAccount's pods act, and the tokens they get for it."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from emulator.cloud.fault import IDENTITY
from emulator.gcp import tokens
from emulator.gcp.account import PROJECT, PROJECT_NUMBER, WORKLOAD_POOL
from emulator.gcp.errors import TROUBLES
from emulator.gcp.metadata import MetadataRefused, MetadataServer, Source
from emulator.gcp.policies import PROJECT_RESOURCE
from emulator.gcp.principal import Principal
from emulator.gcp.roles import WORKLOAD_USER
from emulator.gcp.state import Cluster
from emulator.gcp.world import World

ANNOTATION: Final = "iam.gke.io/gcp-service-account"
_PERMISSION: Final = "iam.serviceAccounts.getAccessToken"
LOG: Final = logging.getLogger(__name__)


class Workload:
    """The pods of one ServiceAccount of a cluster."""

    def __init__(self, world: World, cluster: Cluster, namespace: str, name: str) -> None:
        self._world = world
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._member: Final = f"serviceAccount:{WORKLOAD_POOL}[{namespace}/{name}]"

    def email(self) -> str:
        """The account that the ServiceAccount is annotated with; without one, its own place in the pool."""
        annotations = self._annotations()
        return annotations.get(ANNOTATION) or WORKLOAD_POOL

    def token(self) -> Mapping[str, Any]:
        """An access token.

        Raises:
            MetadataRefused: the account does not let the ServiceAccount act as itself, or there is trouble.
        """
        world = self._world
        meeting = world.faults.meeting(IDENTITY, world.clock.now(), changes=False)
        if meeting.trouble is not None:
            trouble = TROUBLES[meeting.trouble % len(TROUBLES)]
            raise MetadataRefused(trouble.status, trouble.message)
        email = self.email()
        with world.lock:
            now = world.clock.now()
            principal = Principal(self._member if email == WORKLOAD_POOL else self._act_as(email))
            token = world.tokens.issue(principal, now)
        LOG.info("a token of %s for %s", principal.email, self._member)
        return {"access_token": token, "expires_in": tokens.LIFETIME_S, "token_type": "Bearer"}

    def source(self) -> Source:
        """What the metadata server tells these pods."""
        cluster = self._cluster
        facts = {
            "project/project-id": PROJECT,
            "project/numeric-project-id": PROJECT_NUMBER,
            "universe/universe-domain": "googleapis.com",
            "instance/attributes/cluster-name": cluster.name,
            "instance/attributes/cluster-location": cluster.location,
            "instance/attributes/cluster-uid": cluster.number,
            "instance/zone": f"projects/{PROJECT_NUMBER}/zones/{cluster.zones[0]}",
        }
        return Source(facts, self.email, self.token)

    def _annotations(self) -> Mapping[str, str]:
        kube = self._cluster.kube
        found = kube.annotations_of(self._namespace, self._name) if kube is not None else None
        if found is None:
            raise MetadataRefused(404, f"there is no ServiceAccount {self._namespace}/{self._name}")
        return found

    def _act_as(self, email: str) -> str:
        world = self._world
        account = world.accounts.find(email)
        member = f"serviceAccount:{email}"
        if account is not None and world.policies.allow(
            self._member, _PERMISSION, account.name, PROJECT_RESOURCE
        ):
            return member
        LOG.warning(
            "%s may not act as %s%s; bind %s on that account to member %s",
            self._member,
            email,
            "" if account is not None else ", which does not exist",
            WORKLOAD_USER,
            self._member,
        )
        raise MetadataRefused(
            403,
            "Unable to generate access token; IAM returned 403 Forbidden: Permission "
            f"'{_PERMISSION}' denied on resource (or it may not exist).",
        )


def serve(world: World, cluster: Cluster, namespace: str, name: str) -> MetadataServer:
    """Open the metadata server of a ServiceAccount's pods."""
    return MetadataServer(Workload(world, cluster, namespace, name).source())
