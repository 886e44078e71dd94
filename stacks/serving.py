"""A model of the settings as the server that is declared for it, and as pods to be planned for."""

from typing import Any

from catalog.names import NAMESPACE_MODELS, PULL_SECRET
from components.model_manifests import Server, deployment_spec
from stacks import placement
from stacks.models import Model
from stacks.settings import Settings


def server_of(settings: Settings, model: Model) -> Server:
    """The model server in the form of the variant."""
    worker = model.form(settings.right_sized)
    default = settings.serving.image if settings.right_sized else settings.serving.gpu_image
    return Server(
        model=model.name,
        image=worker.image or model.image or default,
        archive=model.archive,
        environment=model.environment,
        cpu_millicores=worker.cpu_millicores,
        memory_bytes=worker.memory_bytes,
        gpus=worker.gpus,
        max_workers=worker.max_workers,
        guard=settings.serving.guard,
        pull_secret=PULL_SECRET if settings.images.pull_secret else "",
    )


def pods_of(settings: Settings, model: Model, count: int) -> list[dict[str, Any]]:
    """Pods of the right-sized form as Kubernetes would show them, pending."""
    server = server_of(settings, model)
    template = deployment_spec(server, placement.right_sized(settings, model), settings.timing)["template"]
    return [
        {
            "metadata": {
                **template["metadata"],
                "name": f"{server.name}-{index}",
                "namespace": NAMESPACE_MODELS,
            },
            "spec": template["spec"],
            "status": {"phase": "Pending"},
        }
        for index in range(count)
    ]
