"""The project's images, and how a pod says what opens the registry that has them."""

from typing import Any, Final

from catalog.names import IMAGE_LOAD, IMAGE_PROVISIONER, IMAGE_SERVING

IMAGES: Final = (IMAGE_PROVISIONER, IMAGE_LOAD, IMAGE_SERVING)
"""What `make images` pushes."""


def pull_secrets(name: str) -> dict[str, Any]:
    """The part of a pod's spec that names the Secret; nothing where there is none."""
    return {"imagePullSecrets": [{"name": name}]} if name else {}
