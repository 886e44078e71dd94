"""Where a stack's images are pushed to: Oracle's registry has one repository for each."""

import pulumi
import pulumi_oci as oci

from components.image import IMAGES
from components.part import Part


class ImageRepository(Part):
    """Private repositories for the project's images, below the stack's name."""

    address: pulumi.Output[str]
    """What `make images` takes as REGISTRY."""

    def __init__(self, stack: str, compartment_id: str, region: str) -> None:
        super().__init__("oke:ImageRepository", stack)
        repositories = [
            oci.artifacts.ContainerRepository(
                f"{stack}-{image.rpartition('/')[2]}",
                compartment_id=compartment_id,
                display_name=f"{stack}/{image}",
                is_public=False,
                opts=self.child(),
            )
            for image in IMAGES
        ]
        self.address = repositories[0].namespace.apply(
            lambda namespace: f"ocir.{region}.oci.oraclecloud.com/{namespace}/{stack}"
        )
        self.register_outputs({"address": self.address})
