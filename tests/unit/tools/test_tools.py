"""Tools are found on PATH in a fitting version, else in the cache, else a way out is named."""

import stat
from pathlib import Path

import pytest

from tools import locate as where
from tools.build import missing
from tools.pins import BY_NAME, TOOLS, Tool


@pytest.fixture
def empty_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with an empty cache and a PATH of one folder, which is returned."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("RIGHTSIZE_CACHE", str(tmp_path / "cache"))
    where.on_path.cache_clear()
    return folder


def put(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_has_a_pinned_version(tool: Tool) -> None:
    assert tool.version.startswith("v")
    assert tool.version in tool.key


@pytest.mark.parametrize(
    ("says", "fits"),
    [
        ("kwok version v0.8.0 go1.27.3 (linux/amd64)", True),
        ("kwok version v0.8.7", True),
        ("kwok version v0.7.0", False),
        ("kwok version v1.8.0", False),
        ("v0.0.0-master+$Format:%H$", False),
        ("no version at all", False),
    ],
)
def test_a_binary_on_path_is_taken_only_in_a_fitting_version(
    empty_machine: Path, says: str, fits: bool
) -> None:
    installed = put(empty_machine, "kwok", says)
    assert (where.on_path(BY_NAME["kwok"]) == installed) is fits


def test_what_is_nowhere_is_named_with_the_way_out(empty_machine: Path) -> None:
    with pytest.raises(where.ToolMissing, match=r"etcd: v3\.\d+\.\d+ is neither built .*`make tools`"):
        where.locate("etcd")
    assert empty_machine.exists()


def test_everything_is_missing_on_an_empty_machine(empty_machine: Path) -> None:
    assert missing(TOOLS) == list(TOOLS)
    where.on_path.cache_clear()
    put(empty_machine, "etcd", f"etcd Version: {BY_NAME['etcd'].version.lstrip('v')}")
    assert BY_NAME["etcd"] not in missing(TOOLS)


def test_what_was_built_is_preferred_to_what_is_on_path(empty_machine: Path) -> None:
    tool = BY_NAME["kwok"]
    put(empty_machine, "kwok", "kwok version v0.8.0")
    folder = where.cache_dir() / "tools" / tool.key
    folder.mkdir(parents=True)
    ours = put(folder, "kwok", "kwok version v0.8.0")
    assert where.locate("kwok") == ours


def test_the_installed_engine_is_taken_with_the_language_host_beside_it(empty_machine: Path) -> None:
    put(empty_machine, "pulumi", BY_NAME["pulumi"].version)
    assert BY_NAME["pulumi-language-python"] in missing(TOOLS)
    where.on_path.cache_clear()
    put(empty_machine, "pulumi-language-python", "")
    assert BY_NAME["pulumi-language-python"] not in missing(TOOLS)
