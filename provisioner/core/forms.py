"""The form of each kind of object that is read: its fields that matter here, and what they have to be.

Types, and numbers where no other could be. Words that Kubernetes may yet add to (operators, effects, phases)
are any text. Fields that nobody reads here may hold anything.
"""

from collections.abc import Mapping
from typing import Final

from provisioner.core.form import Check, amounts, fields, flag, many, name, text, texts, whole

_PORT: Final = whole(0, 2**16 - 1)
_REPLICAS: Final = whole(0)

_NAMED: Final = fields({"name": name}, "name")
_OWNER: Final = fields({"kind": text, "name": text, "uid": text, "controller": flag})
_META: Final[Mapping[str, Check]] = {
    "name": name,
    "namespace": text,
    "uid": text,
    "labels": texts,
    "annotations": texts,
    "creationTimestamp": text,
    "deletionTimestamp": text,
    "ownerReferences": many(_OWNER),
}
_METADATA: Final = fields(_META, "name")
_CONDITIONS: Final = many(fields({"type": text, "status": text}))

_REQUIREMENTS: Final = many(fields({"key": text, "operator": text, "values": many(text)}, "key", "operator"))
_NODE_TERM: Final = fields({"matchExpressions": _REQUIREMENTS, "matchFields": _REQUIREMENTS})
_NODE_SELECTOR: Final = fields({"nodeSelectorTerms": many(_NODE_TERM)})
_LABEL_SELECTOR: Final = fields({"matchLabels": texts, "matchExpressions": _REQUIREMENTS})
_OTHER_PODS: Final[Mapping[str, Check]] = {
    "topologyKey": text,
    "labelSelector": _LABEL_SELECTOR,
    "matchLabelKeys": many(text),
    "mismatchLabelKeys": many(text),
}
_POD_TERM: Final = fields(
    {**_OTHER_PODS, "namespaces": many(text), "namespaceSelector": _LABEL_SELECTOR}, "topologyKey"
)
_SPREAD: Final = fields(
    {
        **_OTHER_PODS,
        "whenUnsatisfiable": text,
        "maxSkew": whole(1),
        "minDomains": whole(1),
        "nodeAffinityPolicy": text,
        "nodeTaintsPolicy": text,
    },
    "topologyKey",
)


def _required(of: Check) -> Check:
    return fields({"requiredDuringSchedulingIgnoredDuringExecution": of})


_RESOURCES: Final = fields({"requests": amounts, "limits": amounts})
_PORTS: Final = many(fields({"hostPort": _PORT, "containerPort": _PORT, "protocol": text, "hostIP": text}))
_CONTAINERS: Final = many(fields({"resources": _RESOURCES, "restartPolicy": text, "ports": _PORTS}))
_TOLERATION: Final = fields({"key": text, "operator": text, "value": text, "effect": text})
_CLAIM: Final = fields({"claimName": name}, "claimName")
_POD_SPEC: Final = fields(
    {
        "containers": _CONTAINERS,
        "initContainers": _CONTAINERS,
        "resources": _RESOURCES,
        "overhead": amounts,
        "nodeName": text,
        "nodeSelector": texts,
        "os": fields({"name": text}),
        "hostNetwork": flag,
        "priority": whole(-(2**31)),
        "schedulingGates": many(_NAMED),
        "resourceClaims": many(_NAMED),
        "tolerations": many(_TOLERATION),
        "topologySpreadConstraints": many(_SPREAD),
        "affinity": fields(
            {
                "nodeAffinity": _required(_NODE_SELECTOR),
                "podAffinity": _required(many(_POD_TERM)),
                "podAntiAffinity": _required(many(_POD_TERM)),
            }
        ),
        "volumes": many(
            fields({"name": name, "persistentVolumeClaim": _CLAIM, "ephemeral": fields({})}, "name")
        ),
    }
)
_POD: Final = fields(
    {
        "metadata": _METADATA,
        "spec": _POD_SPEC,
        "status": fields({"phase": text, "conditions": _CONDITIONS}),
    },
    "metadata",
)
_NODE: Final = fields(
    {
        "metadata": _METADATA,
        "spec": fields(
            {
                "providerID": text,
                "unschedulable": flag,
                "taints": many(fields({"key": name, "value": text, "effect": text}, "key")),
            }
        ),
        "status": fields(
            {
                "capacity": amounts,
                "allocatable": amounts,
                "conditions": _CONDITIONS,
                "nodeInfo": fields({"kubeletVersion": text}),
            }
        ),
    },
    "metadata",
)
_DAEMON_SET: Final = fields(
    {
        "metadata": _METADATA,
        "spec": fields(
            {"template": fields({"metadata": fields(_META), "spec": _POD_SPEC}, "spec")}, "template"
        ),
    },
    "metadata",
    "spec",
)
_BUDGET: Final = fields(
    {
        "metadata": _METADATA,
        "spec": fields({"selector": _LABEL_SELECTOR}),
        "status": fields(
            {"disruptionsAllowed": _REPLICAS, "expectedPods": _REPLICAS, "desiredHealthy": _REPLICAS}
        ),
    },
    "metadata",
)
_SCALER: Final = fields(
    {
        "metadata": _METADATA,
        "spec": fields(
            {
                "scaleTargetRef": fields({"kind": text, "name": text}, "kind", "name"),
                "minReplicas": _REPLICAS,
                "maxReplicas": _REPLICAS,
            },
            "scaleTargetRef",
            "maxReplicas",
        ),
        "status": fields({"currentReplicas": _REPLICAS, "desiredReplicas": _REPLICAS, "lastScaleTime": text}),
    },
    "metadata",
    "spec",
)

_VOLUME_CLAIM: Final = fields(
    {
        "metadata": _METADATA,
        "spec": fields({"volumeName": text, "storageClassName": text}),
        "status": fields({"phase": text}),
    },
    "metadata",
)
_VOLUME: Final = fields(
    {
        "metadata": _METADATA,
        "spec": fields(
            {"csi": fields({"driver": text}), "nodeAffinity": fields({"required": _NODE_SELECTOR})}
        ),
    },
    "metadata",
)
_TOPOLOGY: Final = fields({"matchLabelExpressions": many(fields({"key": text, "values": many(text)}, "key"))})
_STORAGE_CLASS: Final = fields(
    {
        "metadata": _METADATA,
        "provisioner": text,
        "volumeBindingMode": text,
        "allowedTopologies": many(_TOPOLOGY),
    },
    "metadata",
)
_DRIVER: Final = fields({"name": name, "allocatable": fields({"count": _REPLICAS})}, "name")
_CSI_NODE: Final = fields({"metadata": _METADATA, "spec": fields({"drivers": many(_DRIVER)})}, "metadata")

_USED: Final[Mapping[str, Check]] = {"metadata": _METADATA, "timestamp": text}
_POD_METRICS: Final = fields({**_USED, "containers": many(fields({"usage": amounts}, "usage"))}, "metadata")
_NODE_METRICS: Final = fields({**_USED, "usage": amounts}, "metadata", "usage")

FORMS: Final[Mapping[str, Check]] = {
    "pod": _POD,
    "node": _NODE,
    "daemonset": _DAEMON_SET,
    "poddisruptionbudget": _BUDGET,
    "horizontalpodautoscaler": _SCALER,
    "persistentvolumeclaim": _VOLUME_CLAIM,
    "persistentvolume": _VOLUME,
    "storageclass": _STORAGE_CLASS,
    "csinode": _CSI_NODE,
    "podmetrics": _POD_METRICS,
    "nodemetrics": _NODE_METRICS,
}
"""By kind in small letters."""
