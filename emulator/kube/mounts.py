"""A container's paths, for a process that has no mount namespace: what a pod mounts, and where it lies.

ConfigMaps and Secrets become files, emptyDirs folders of the pod. Where the container would see
`/etc/torchserve`, the process gets the real folder: in arguments, variables and configuration.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from emulator.kube.api import Object
from emulator.kube.environment import CONFIG_MAP, SECRET, Contents, Source

_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "configMap": (CONFIG_MAP, "name"),
    "secret": (SECRET, "secretName"),
}

Paths = Mapping[str, Path]
"""Real folder of each path of the container."""


def sources(pod: Object) -> tuple[Source, ...]:
    """Every ConfigMap and Secret that the pod mounts."""
    return tuple(sorted({source for _, source in _files(pod)}))


def missing(pod: Object, contents: Contents) -> list[str]:
    """What is mounted and not there, each as a sentence; what is optional may be missing."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    return [
        f"volume {name!r}: {source.resource.removesuffix('s')} {source.name!r} not found"
        for name, source in _files(pod)
        if contents.get(source) is None and not _optional(volumes[name])
    ]


def mounted(pod: Object) -> dict[str, str]:
    """Volume of each path that the pod's first container mounts, of the kinds that are laid out here."""
    known = {
        volume["name"]
        for volume in pod["spec"].get("volumes") or ()
        if "emptyDir" in volume or any(kind in volume for kind in _KINDS)
    }
    rows = pod["spec"]["containers"][0].get("volumeMounts") or ()
    return {row["mountPath"].rstrip("/"): row["name"] for row in rows if row["name"] in known}


def lay_out(pod: Object, folder: Path, contents: Contents) -> dict[str, Path]:
    """Make the mounted volumes in the folder; returns where each path of the container lies."""
    files = dict(_files(pod))
    paths = {path: folder / name for path, name in mounted(pod).items()}
    for real in paths.values():
        real.mkdir(parents=True, exist_ok=True, mode=0o700)
        for key, text in (contents.get(files[real.name]) or {}).items() if real.name in files else ():
            (real / key).write_text(text)
    return paths


def configuration(pod: Object, folder: Path) -> Iterable[Path]:
    """The files that came from ConfigMaps."""
    for name, source in _files(pod):
        if source.resource == CONFIG_MAP:
            yield from sorted((folder / name).glob("*"))


def real_path(text: str, paths: Paths) -> str:
    """A path of the container as the process has to see it; anything else as it is."""
    for path in sorted(paths, key=len, reverse=True):
        if text == path or text.startswith(f"{path}/"):
            return f"{paths[path]}{text[len(path) :]}"
    return text


def _files(pod: Object) -> Iterable[tuple[str, Source]]:
    for volume in pod["spec"].get("volumes") or ():
        for kind, (resource, name) in _KINDS.items():
            if kind in volume:
                yield volume["name"], Source(resource, volume[kind][name])


def _optional(volume: Mapping[str, Any]) -> bool:
    return any(bool((volume.get(kind) or {}).get("optional")) for kind in _KINDS)
