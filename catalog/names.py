"""Names the rooms agree on: labels, taints, tags, namespaces, images.

Kubernetes names are in the project's label domain, cloud tags use dashes because neither
OKE freeform tags nor GKE resource labels take a slash.
"""

from typing import Final

DOMAIN: Final = "rightsize.io"

ROLE_KEY: Final = f"{DOMAIN}/role"
"""Label of every node of ours, and taint of inference nodes."""
ROLE_INFERENCE: Final = "inference"
ROLE_MANAGEMENT: Final = "management"

DEDICATED_KEY: Final = f"{DOMAIN}/dedicated"
"""Selected by a model's pods in bin-select, carried by the node bought for them."""

PROVISION_KEY: Final = f"{DOMAIN}/provision"
"""Label (value "true") of the pods that the stack's provisioner serves."""

MODEL_KEY: Final = f"{DOMAIN}/model"
"""Label of a model's pods, Deployment and Service; its value is the model's name."""

STARTING_KEY: Final = f"{DOMAIN}/starting"
"""Taint (value "true") that a bought node registers with, until the provisioner lets its pods in."""

REMOVABLE_SINCE_KEY: Final = f"{DOMAIN}/removable-since"
"""Node annotation (RFC 3339): the provisioner could remove this node since then, and waits."""

DRAINING_KEY: Final = f"{DOMAIN}/draining"
"""Node annotation (RFC 3339): the provisioner is moving the node's pods away, no pod is to come back; since
when, or when the last one was moved."""

GIVEN_UP_KEY: Final = f"{DOMAIN}/drain-given-up"
"""Node annotation (RFC 3339): when the provisioner stopped moving the node's pods away, since none could be."""

RESERVED_KEY: Final = f"{DOMAIN}/reserved"
"""Node annotation: cordoned for a moment, so that a pod that is being moved goes where it was meant to go."""

STEPS_ASIDE_KEY: Final = f"{DOMAIN}/steps-aside-since"
"""Pod annotation (RFC 3339): the pod was set free of its ReplicaSet, and goes once its replacement serves."""
STEPS_ASIDE_FROM_KEY: Final = f"{DOMAIN}/steps-aside-from"
"""Pod annotation: the uid of that ReplicaSet."""

ACCOUNTING_TAG: Final = "rightsize-accounting"
TIMING_TAG: Final = "rightsize-timing"
STACK_TAG: Final = "rightsize-stack"
"""Tags of a cluster, which real clouds ignore and the emulated one obeys."""

CLUSTER_TAG: Final = "rightsize-cluster"
"""Tag of every pool the provisioner bought: the id of the cluster it belongs to."""

NAMESPACE_MODELS: Final = "inference"
NAMESPACE_PROVISIONER: Final = "rightsize-system"
PROVISIONER_NAME: Final = "provisioner"
"""Deployment, ServiceAccount and ConfigMap of the provisioner."""

IMAGE_PROVISIONER: Final = "rightsize/provisioner"
IMAGE_LOAD: Final = "rightsize/load"
IMAGE_SERVING: Final = "rightsize/serving"
"""Image repositories without registry and tag."""
PULL_SECRET: Final = "registry"
"""Secret of a stack's namespaces that opens a private registry."""

PROBE_HEADER: Final = "Rightsize-Probe"
"""Header of a request that asks whether the model answers, and brings no picture."""

SETTINGS_ENV: Final = "RIGHTSIZE_SETTINGS"
"""Environment variable with the provisioner's settings as YAML text."""
KUBECONFIG_ENV: Final = "RIGHTSIZE_KUBECONFIG"
SERVICE_ACCOUNT_TOKEN_ENV: Final = "RIGHTSIZE_SERVICE_ACCOUNT_TOKEN_PATH"
"""Overrides of the in-cluster paths, for pods that run without a mount namespace."""


def resource_name(model: str) -> str:
    """Kubernetes resource name of a model: `squeezenet1_1` is `squeezenet1-1`."""
    return model.lower().replace("_", "-").replace(".", "-")
