"""A stack's engine: what it says while it works, and what its failures become."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation import CommandError, EngineEvent
from pulumi.automation._cmd import CommandResult

from experiments.fault import Fault
from experiments.stack import Stack

Script = Callable[[Callable[[EngineEvent], None]], Any]


class FakeEngine:
    """Plays a script of events, then answers or fails."""

    name = "oke-dynamic"

    def __init__(self, script: Script) -> None:
        self._script = script

    def up(self, on_event: Any, on_output: Any, on_error: Any, color: str) -> Any:
        assert color == "never"
        on_output("a line")
        on_error("another")
        return self._script(on_event)

    destroy = up


def step(event: str, name: str, *, provider: str = "p") -> EngineEvent:
    metadata = {
        "op": "create",
        "urn": f"urn:pulumi:s::rightsize::t::{name}",
        "type": "t",
        "provider": provider,
    }
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, event: {"metadata": metadata}})


def diagnostic(message: str, severity: str) -> EngineEvent:
    return EngineEvent.from_json(
        {
            "sequence": 1,
            "timestamp": 1,
            "diagnosticEvent": {"message": message, "severity": severity, "color": "never"},
        }
    )


def fails(*events: EngineEvent, stderr: str = "") -> Script:
    def script(on_event: Callable[[EngineEvent], None]) -> Any:
        for event in events:
            on_event(event)
        raise CommandError(CommandResult(stdout="Updating", stderr=stderr, code=1))

    return script


def test_what_is_under_way_is_said_once_for_each_change(tmp_path: Path) -> None:
    def script(on_event: Callable[[EngineEvent], None]) -> Any:
        on_event(step("resourcePreEvent", "component", provider=""))
        on_event(step("resourcePreEvent", "vcn"))
        on_event(diagnostic("debug", "debug"))
        on_event(step("resourcePreEvent", "cluster"))
        on_event(step("resOutputsEvent", "vcn"))
        on_event(step("resOutputsEvent", "component", provider=""))
        on_event(step("resOutputsEvent", "cluster"))
        outputs = {"cluster_id": SimpleNamespace(value="c1"), "kubeconfig": SimpleNamespace(value="secret")}
        return SimpleNamespace(outputs=outputs)

    said: list[str] = []
    outputs = Stack(FakeEngine(script), tmp_path / "log").up(said.append)  # type: ignore[arg-type]
    assert said == [
        "0 resources",
        "0 resources, now vcn",
        "0 resources, now vcn, cluster",
        "1 resources, now cluster",
        "2 resources",
    ]
    assert outputs.cluster_id == "c1"
    assert "secret" not in repr(outputs)
    assert (tmp_path / "log").read_text() == "a line\nanother\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (fails(diagnostic("<{%fg 1%}>error: no\n capacity<{%reset%}>", "error")), "error: no capacity"),
        (fails(diagnostic("careful", "warning"), stderr="error: locked by 1 lock(s)"), "locked by 1 lock(s)"),
        (fails(stderr="error: one\nerror: two\nerror: one"), "one; two"),
    ],
)
def test_a_failure_is_the_engines_errors_and_where_the_rest_is(
    script: Script, reason: str, tmp_path: Path
) -> None:
    stack = Stack(FakeEngine(script), tmp_path / "log")  # type: ignore[arg-type]
    with pytest.raises(Fault) as fault:
        stack.destroy(lambda _: None)
    assert str(fault.value) == f"destroy of stack oke-dynamic failed: {reason}; in full: {tmp_path / 'log'}"
