"""What a cloud's own admission does to pods: on GKE, those that select arm64 tolerate its taint."""

import time
from typing import Any, Final

from emulator.kube.api import Api, ApiError
from emulator.kube.spec import ClusterFailed

ARM: Final = {"key": "kubernetes.io/arch", "operator": "Equal", "value": "arm64", "effect": "NoSchedule"}
_NAME: Final = "arm-toleration"
_GROUP: Final = "/apis/admissionregistration.k8s.io/v1"
_SELECTS_ARM: Final = (
    "has(object.spec.nodeSelector) && 'kubernetes.io/arch' in object.spec.nodeSelector && "
    "object.spec.nodeSelector['kubernetes.io/arch'] == 'arm64'"
)
_REQUIRES_ARM: Final = (
    "has(object.spec.affinity) && has(object.spec.affinity.nodeAffinity) && "
    "has(object.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution) && "
    "object.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    ".all(term, has(term.matchExpressions) && term.matchExpressions.exists(row, "
    "row.key == 'kubernetes.io/arch' && row.operator == 'In' && row.values == ['arm64']))"
)
_ADDITION: Final = """
(has(object.spec.tolerations) ? [] : [JSONPatch{op: "add", path: "/spec/tolerations", value: []}]) +
[JSONPatch{op: "add", path: "/spec/tolerations/-", value: Object.spec.tolerations{
  key: "kubernetes.io/arch", operator: "Equal", value: "arm64", effect: "NoSchedule"}}]
"""
_TIMEOUT_S: Final = 30.0
_PAUSE_S: Final = 0.1


def tolerate_arm(api: Api, timeout_s: float = _TIMEOUT_S) -> None:
    """Let pods that select arm64, or require it by affinity, tolerate its taint; return when it works.

    A policy works only some time after it was made.

    Raises:
        ClusterFailed: it did not begin to work in time.
    """
    api.apply(f"{_GROUP}/mutatingadmissionpolicies/{_NAME}", policy())
    api.apply(f"{_GROUP}/mutatingadmissionpolicybindings/{_NAME}", binding())
    deadline = time.monotonic() + timeout_s
    last = "no answer"
    while time.monotonic() < deadline:
        try:
            tried = api.create("/api/v1/namespaces/kube-system/pods?dryRun=All", _probe())
            if ARM in tried["spec"]["tolerations"]:
                return
            last = "a pod that selects arm64 does not tolerate its taint"
        except ApiError as fault:
            last = str(fault)
        time.sleep(_PAUSE_S)
    raise ClusterFailed(f"the new cluster's admission did not work within {timeout_s:.0f} s: {last}")


def policy() -> dict[str, Any]:
    """The policy; called a second time (`IfNeeded`) it would add the toleration twice."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": _NAME},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ]
            },
            "matchConditions": [
                {"name": "selects-arm64", "expression": f"({_SELECTS_ARM}) || ({_REQUIRES_ARM})"}
            ],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": _ADDITION}}],
        },
    }


def binding() -> dict[str, Any]:
    """What puts the policy in force."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": _NAME},
        "spec": {"policyName": _NAME},
    }


def _probe() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "admission-probe"},
        "spec": {
            "nodeSelector": {"kubernetes.io/arch": "arm64"},
            "containers": [{"name": "probe", "image": "emulated/probe"}],
        },
    }
