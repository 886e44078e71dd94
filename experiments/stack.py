"""A variant's stack by the Pulumi Automation API: configured, brought up, destroyed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pulumi import automation
from pulumi.automation import EngineEvent, StepEventMetadata

from experiments.fault import Fault

PROJECT: Final = "rightsize"
_COLOUR: Final = re.compile(r"<\{%.*?%\}>")
_STEPS_SHOWN: Final = 2
_ERRORS_SHOWN: Final = 3
_MOST_CHARACTERS: Final = 600
"""Of an error; a plugin's traceback is in the log."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outputs:
    """What of a stack's exports the experiments need; the kubeconfig is a secret."""

    cluster_id: str
    kubeconfig: str = field(repr=False)


@dataclass(slots=True)
class _Events:
    """What the engine says while it works: steps under way, steps done, errors."""

    verb: str
    say: Say
    under_way: dict[str, None] = field(default_factory=dict)
    done: int = 0
    said: str = ""
    errors: list[str] = field(default_factory=list)

    def take(self, event: EngineEvent) -> None:
        """Note one event and say what is under way."""
        if event.resource_pre_event is not None:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self._finish(event.res_outputs_event.metadata.urn)
        elif event.res_op_failed_event is not None:
            self._finish(event.res_op_failed_event.metadata.urn)
        elif event.diagnostic_event is not None and event.diagnostic_event.severity == "error":
            self.errors.append(_one_line(_COLOUR.sub("", event.diagnostic_event.message)))
        said = f"{self.done} resources{self._named()}"
        if said != self.said:
            self.said = said
            self.say(said)

    def _begin(self, step: StepEventMetadata) -> None:
        # Components and the stack have no provider and nothing of their own to wait for.
        if step.provider:
            self.under_way[step.urn] = None

    def _finish(self, urn: str) -> None:
        if urn in self.under_way:
            del self.under_way[urn]
            self.done += 1

    def _named(self) -> str:
        names = [urn.rsplit("::", 1)[-1] for urn in self.under_way][-_STEPS_SHOWN:]
        return f", now {', '.join(names)}" if names else ""


class Stack:
    """One stack of the project in a work directory that has its `Pulumi.yaml`."""

    def __init__(self, stack: automation.Stack, log: Path) -> None:
        self._stack = stack
        self._log = log

    @classmethod
    def select(cls, name: str, work_dir: Path, log: Path) -> "Stack":
        """Select an existing stack; the engine's words go to the file `log`.

        Raises:
            Fault: when there is no such stack, or no engine.
        """
        try:
            return cls(automation.select_stack(name, work_dir=str(work_dir)), log)
        except automation.StackNotFoundError as error:
            raise Fault(f"stack {name}: there is none; `pulumi stack init {name}` makes it") from error
        except (automation.CommandError, automation.InvalidVersionError, OSError) as error:
            raise Fault(f"stack {name}: cannot be selected: {_reason(str(error))}") from error

    @property
    def name(self) -> str:
        """Name of the stack."""
        return self._stack.name

    def configure(self, values: Mapping[str, str]) -> None:
        """Set keys of the project; a key may be a path into an object, such as `provisioner.mode`.

        Raises:
            Fault: when the engine refuses.
        """
        config = {f"{PROJECT}:{key}": automation.ConfigValue(value) for key, value in values.items()}
        try:
            self._stack.set_all_config(config, path=True)
        except automation.CommandError as error:
            raise Fault(f"stack {self.name}: not configured: {_reason(str(error))}") from error

    def state(self) -> list[dict[str, Any]]:
        """Its resources as the engine keeps them, the stack itself among them; secrets stay encrypted."""
        return list((self._stack.export_stack().deployment or {}).get("resources", ()))

    def resources(self) -> int:
        """How many resources it has, the stack itself apart."""
        return sum(not row["urn"].endswith(f"::{PROJECT}-{self.name}") for row in self.state())

    def up(self, say: Say) -> Outputs:
        """Bring it up.

        Raises:
            Fault: with the engine's errors, when it fails.
        """
        events = _Events("up", say)
        result = self._do(events, self._stack.up)
        return Outputs(
            cluster_id=str(result.outputs["cluster_id"].value),
            kubeconfig=str(result.outputs["kubeconfig"].value),
        )

    def destroy(self, say: Say) -> None:
        """Destroy its resources; the stack stays.

        Raises:
            Fault: with the engine's errors, when it fails.
        """
        self._do(_Events("destroy", say), self._stack.destroy)

    def _do(self, events: _Events, action: Callable[..., Any]) -> Any:
        with self._log.open("a", encoding="utf-8") as log:

            def note(line: str) -> None:
                log.write(f"{line}\n")

            try:
                return action(on_event=events.take, on_output=note, on_error=note, color="never")
            except automation.CommandError as error:
                reason = "; ".join(events.errors[:_ERRORS_SHOWN]) or _reason(str(error))
                raise Fault(
                    f"{events.verb} of stack {self.name} failed: {reason}; in full: {self._log}"
                ) from error


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _MOST_CHARACTERS else f"{words[:_MOST_CHARACTERS]}…"


def _reason(text: str) -> str:
    """The errors in what the engine printed, or else its last line."""
    lines = [_one_line(line) for line in text.splitlines() if line.strip()]
    errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
    return "; ".join([*dict.fromkeys(errors)][:_ERRORS_SHOWN]) or (lines or ["no reason given"])[-1]
