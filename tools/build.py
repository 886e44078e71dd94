"""Builds a tool from its pinned Go module into the cache, once."""

import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.locate import assembly_key, built, cache_dir, on_path
from tools.pins import BY_NAME, GO, ROOM, Tool


class BuildFailed(Exception):
    """A tool could not be built; the message says which, why and what to do."""


@contextmanager
def exclusive() -> Iterator[None]:
    """Let one bootstrap at a time fill the cache; a second one waits for the first."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def missing(tools: tuple[Tool, ...]) -> list[Tool]:
    """Those that are neither built nor on PATH in a fitting version."""
    return [tool for tool in tools if built(tool) is None and not _served_by_path(tool)]


def _served_by_path(tool: Tool) -> bool:
    # The language host does not know its version: it is taken together with the engine beside it.
    if tool.name == "pulumi-language-python":
        engine = on_path(BY_NAME["pulumi"])
        return engine is not None and (engine.parent / tool.name).exists()
    return on_path(tool) is not None


def build(tool: Tool) -> Path:
    """Build one tool and return its path.

    Raises:
        BuildFailed: with the compiler's or the module proxy's last words.
    """
    target = cache_dir() / "tools" / tool.key
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        binary = Path(scratch) / "out" / tool.name
        arguments = ["build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
        _go(tool, *arguments, "-ldflags", tool.link_flags, "-o", str(binary), tool.package)
        shutil.rmtree(target, ignore_errors=True)
        binary.parent.rename(target)
    return target / tool.name


def assemble() -> Path:
    """Put the engine and all that must lie beside it into one folder, and return it.

    The engine looks for its language host, the host for its executor, and dynamic providers for
    their plugin, each beside the former or on PATH. They are copies: a link is followed before
    anything is looked for beside it.
    """
    folder = cache_dir() / "bin" / assembly_key()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    engine, host = (built(BY_NAME[name]) for name in ("pulumi", "pulumi-language-python"))
    if engine is None:
        _link_installed(folder)
    else:
        shutil.copy2(engine, folder / "pulumi")
    if host is not None:
        shutil.copy2(host, folder / host.name)
        _executable(folder / "pulumi-language-python-exec", _patched_executor(BY_NAME[host.name]))
    _executable(
        folder / "pulumi-resource-pulumi-python", '#!/bin/sh\nexec python -u -m pulumi.dynamic "$@"\n'
    )
    return folder


def _link_installed(folder: Path) -> None:
    installed = on_path(BY_NAME["pulumi"])
    if installed is None:
        raise BuildFailed("pulumi: vanished while it was set up; run `make tools` again")
    for path in installed.resolve().parent.glob("pulumi*"):
        if path.name != "pulumi-resource-pulumi-python":
            (folder / path.name).symlink_to(path)


def _patched_executor(tool: Tool) -> str:
    """Return the host's executor script, patched to end quietly after an error it has already shown.

    As it ships, a RunError is followed by "an unhandled error occurred", and a program that the
    engine interrupts prints a traceback.
    """
    module = Path(_go(tool, "list", "-m", "-f", "{{.Dir}}", tool.module).strip())
    text = (module / "python" / "cmd" / "pulumi-language-python-exec").read_text()
    handler = "    except pulumi.RunError as e:\n        pulumi.log.error(str(e))\n"
    if text.count(handler) != 1:
        raise BuildFailed(
            f"pulumi-language-python-exec {tool.version}: the handler of RunError is not where it was expected; "
            "pin the version that tools/build.py knows"
        )
    return text.replace(
        handler,
        f"    except KeyboardInterrupt:\n        exit_code = 32\n{handler}        exit_code = 32\n",
    )


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _go(tool: Tool, *arguments: str) -> str:
    uv = shutil.which("uv")
    if uv is None:
        raise BuildFailed("uv: not on PATH; run `make tools`, which brings it, or `pip install uv`")
    command = [uv, "run", "--quiet", "--no-project", "--with", GO, "go", *arguments]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        command, cwd=ROOM / tool.folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = [line for line in done.stderr.splitlines() if line.strip()][-3:]
        raise BuildFailed(
            f"{tool.name}: building {tool.package} {tool.version} failed: {' | '.join(words) or 'no output'}\n"
            f"  Is the Go module proxy reachable (GOPROXY)? Is the disk full? "
            f"Or put {tool.name} {tool.version} on PATH and run `make tools` again."
        )
    return done.stdout
