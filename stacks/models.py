"""The models of a stack: each in the form it runs in on GPU nodes, and on right-sized ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from catalog.names import resource_name
from stacks.reader import Reader

FORMS: Final = ("gpu", "right_sized")
_NAME: Final = r"[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]|[A-Za-z]"
_LONGEST_NAME: Final = 50
"""Names of Kubernetes objects are at most 63 characters, and the load's begin with `load-`."""
_EXAMPLE: Final = "models.squeezenet1_1: {gpu: {cpu: 400m, memory: 2G, gpus: 1, max_workers: 3}, right_sized: {cpu: 400m, memory: 1G, max_workers: 4}}"


@dataclass(frozen=True, slots=True)
class Worker:
    """The size of one worker pod, and how many there may be."""

    cpu_millicores: int
    memory_bytes: int
    gpus: int
    max_workers: int
    image: str
    """Empty: the model's, else the stack's."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model to serve."""

    name: str
    gpu: Worker | None
    right_sized: Worker | None
    image: str
    archive: str
    """File of the model in the image's model store."""
    environment: Mapping[str, str]

    def form(self, right_sized: bool) -> Worker:  # noqa: FBT001 - the two forms are all there are
        """The form of the variant; parsing has seen to it that it is there."""
        worker = self.right_sized if right_sized else self.gpu
        if worker is None:
            raise LookupError(f"models.{self.name} has no such form")
        return worker


def read_models(reader: Reader, needed_form: str) -> tuple[Model, ...]:
    """Read the object `models`; the form that the variant runs has to be there."""
    outer = reader.section("models")
    models = [_model(name, outer.section(name), needed_form) for name in outer.names()]
    if not models:
        reader.fault("models", None, "must name at least one model", f"for example {_EXAMPLE}")
    return tuple(sorted(models, key=lambda model: model.name))


def _model(name: str, reader: Reader, needed_form: str) -> Model:
    _check_name(name, reader)
    forms = {form: _worker(reader.section(form), form) if reader.has(form) else None for form in FORMS}
    if forms[needed_form] is None:
        reader.fault(
            needed_form,
            None,
            "must be there for this variant",
            f"for example {needed_form}: {{cpu: 400m, memory: 4G, max_workers: 4}}",
        )
    model = Model(
        name=name,
        gpu=forms["gpu"],
        right_sized=forms["right_sized"],
        image=reader.text("image"),
        archive=reader.text("archive", f"{name}.mar"),
        environment=reader.words("environment"),
    )
    reader.close()
    return model


def _worker(reader: Reader, form: str) -> Worker:
    on_gpu = form == "gpu"
    worker = Worker(
        cpu_millicores=reader.millicores("cpu"),
        memory_bytes=reader.memory_bytes("memory"),
        gpus=reader.integer("gpus", int(on_gpu), least=int(on_gpu), most=16),
        max_workers=reader.integer("max_workers", 1, least=1, most=1000),
        image=reader.text("image"),
    )
    reader.close()
    return worker


def _check_name(name: str, reader: Reader) -> None:
    if not re.fullmatch(_NAME, name) or len(name) > _LONGEST_NAME or not resource_name(name)[-1].isalnum():
        reader.fault(
            "",
            name,
            f"must be a name of letters, digits, '-', '_' and '.', beginning with a letter, at most {_LONGEST_NAME} long",
        )
