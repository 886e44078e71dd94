"""Asks the API server for ServiceAccount tokens, and about them."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.kube.api import Api
from emulator.kube.spec import ServiceAccountRef

LIFE_S: Final = 3600
_PREFIX: Final = "system:serviceaccount:"
_POD_NAME: Final = "authentication.kubernetes.io/pod-name"
_POD_UID: Final = "authentication.kubernetes.io/pod-uid"


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """For which pod a token is asked."""

    namespace: str
    service_account: str
    name: str
    uid: str


def request(api: Api, pod: PodIdentity, life_s: int = LIFE_S) -> str:
    """A token of the pod's ServiceAccount, bound to the pod, for the API server's own audience."""
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "expirationSeconds": life_s,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid},
        },
    }
    path = f"/api/v1/namespaces/{pod.namespace}/serviceaccounts/{pod.service_account}/token"
    token: str = api.create(path, body)["status"]["token"]
    return token


def review(api: Api, token: str, audiences: Sequence[str]) -> ServiceAccountRef | None:
    """The ServiceAccount a token belongs to, None when the API server refuses it."""
    spec: dict[str, Any] = {"token": token, **({"audiences": list(audiences)} if audiences else {})}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
    status = api.create("/apis/authentication.k8s.io/v1/tokenreviews", body)["status"]
    user = status.get("user", {})
    username = user.get("username", "")
    if not status.get("authenticated") or not username.startswith(_PREFIX):
        return None
    namespace, name = username.removeprefix(_PREFIX).split(":")
    extra = user.get("extra", {})
    return ServiceAccountRef(
        namespace=namespace,
        name=name,
        uid=user.get("uid", ""),
        pod_name=next(iter(extra.get(_POD_NAME, [])), None),
        pod_uid=next(iter(extra.get(_POD_UID, [])), None),
    )


def life_of(token: str) -> float:
    """Seconds between a token's issue and its end, as its claims say."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    life: float = claims["exp"] - claims["iat"]
    return life
