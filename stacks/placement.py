"""Where the pods of a model may run, by variant."""

from typing import Final

from catalog.names import DEDICATED_KEY, PROVISION_KEY, ROLE_INFERENCE, ROLE_KEY
from catalog.offering import SPOT
from components.inference_nodes import AUTOSCALED, FIXED, POOL_KEY
from components.model_manifests import Placement
from provisioner.core.market import TRAITS
from provisioner.core.policy import BIN_SELECT
from stacks.models import Model
from stacks.settings import MAX_SIZED, Settings

ARCH_KEY: Final = "kubernetes.io/arch"


def of_model(settings: Settings, model: Model, gpu_arch: str) -> Placement:
    """Inference nodes only; in bin-select, nodes of the model's own with one pod each."""
    return right_sized(settings, model) if settings.right_sized else _on_gpus(settings, gpu_arch)


def _on_gpus(settings: Settings, gpu_arch: str) -> Placement:
    pool = FIXED if settings.variant == MAX_SIZED else AUTOSCALED
    return Placement(
        node_selector={ROLE_KEY: ROLE_INFERENCE, POOL_KEY: pool, ARCH_KEY: gpu_arch},
        pod_labels={},
        alone=False,
        surge=False,  # a full pool has no room for one
    )


def right_sized(settings: Settings, model: Model) -> Placement:
    """Nodes that the provisioner buys; in bin-select the model's own, one pod each."""
    provisioner = settings.provisioner
    alone = provisioner.mode == BIN_SELECT
    selector = {ROLE_KEY: ROLE_INFERENCE}
    if len(provisioner.architectures) == 1:
        selector[ARCH_KEY] = provisioner.architectures[0]
    if alone:
        selector[DEDICATED_KEY] = model.name
    return Placement(
        node_selector=selector,
        pod_labels={PROVISION_KEY: "true"},
        alone=alone,
        surge=True,
        tolerated=_taints_of_spot(settings),
    )


def _taints_of_spot(settings: Settings) -> tuple[str, ...]:
    """What the cloud itself would keep the pods from spot nodes by, where the provisioner may buy them."""
    if SPOT not in settings.provisioner.capacity_types:
        return ()
    return tuple(taint.key for taint in TRAITS[settings.cloud].spot_taints)
