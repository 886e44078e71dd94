"""What the container engine offers: Kubernetes versions, shapes, node images."""

from typing import Final

from emulator.cloud.http import Answer
from emulator.oci import images
from emulator.oci.errors import invalid
from emulator.oci.http import Call
from emulator.oci.world import World

_ARCHITECTURES: Final = {"AARCH64": "arm64", "X86_64": "amd64"}
_OS_TYPES: Final = ("OL7", "OL8", "UBUNTU")


class Options:
    """The operations that list choices."""

    def __init__(self, world: World) -> None:
        self._world = world

    def cluster(self, call: Call) -> Answer:
        """Versions and pod networks for a new cluster, or for one that exists."""
        self._check_target(call.parameters["cluster_option_id"])
        networks = [{"cniType": "OCI_VCN_IP_NATIVE"}, {"cniType": "FLANNEL_OVERLAY"}]
        return Answer(
            {"kubernetesVersions": list(images.KUBERNETES_VERSIONS), "clusterPodNetworkOptions": networks}
        )

    def node_pool(self, call: Call) -> Answer:
        """Versions, shapes and images for node pools."""
        self._check_target(call.parameters["node_pool_option_id"])
        chosen = [image for image in images.IMAGES if _wanted(image, call)]
        return Answer(
            {
                "kubernetesVersions": list(images.KUBERNETES_VERSIONS),
                "shapes": list(self._world.shapes.names()),
                "images": [image.name for image in chosen],
                "sources": [image.json_value() for image in chosen],
            }
        )

    def _check_target(self, option_id: str) -> None:
        if option_id != "all":
            self._world.cluster(option_id)


def _wanted(image: images.Image, call: Call) -> bool:
    version = call.one("nodePoolK8sVersion")
    arch = call.one("nodePoolOsArch")
    os_type = call.one("nodePoolOsType")
    if arch is not None and arch not in _ARCHITECTURES:
        raise invalid(f"nodePoolOsArch: '{arch}' must be one of {', '.join(_ARCHITECTURES)}")
    if os_type is not None and os_type not in _OS_TYPES:
        raise invalid(f"nodePoolOsType: '{os_type}' must be one of {', '.join(_OS_TYPES)}")
    return (
        (version is None or image.kubernetes_version == version)
        and (arch is None or image.arch == _ARCHITECTURES[arch])
        and os_type in {None, "OL8"}
    )
