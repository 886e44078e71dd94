"""Where a stack's images are pushed to: Google's registry has one repository for all of them."""

import pulumi
import pulumi_gcp as gcp

from components.gke.names import google_name
from components.part import Part


class ImageRepository(Part):
    """A repository for the project's images; the nodes' account may read those of its project."""

    address: pulumi.Output[str]
    """What `make images` takes as REGISTRY."""

    def __init__(self, stack: str, project: str, region: str) -> None:
        super().__init__("gke:ImageRepository", stack)
        repository = gcp.artifactregistry.Repository(
            stack,
            project=project,
            location=region,
            repository_id=google_name(stack),
            format="DOCKER",
            description=f"Images of {stack}",
            opts=self.child(),
        )
        self.address = repository.registry_uri
        self.register_outputs({"address": self.address})
