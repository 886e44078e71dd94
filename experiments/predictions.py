"""Whether every variant gives the same predictions: same classes, scores alike; pure but for files."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from experiments.fault import Fault

PREDICTIONS_FILE: Final = "predictions.json"
TOLERANCE: Final = 1e-4
CAT: Final = "cat"

Answers = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]
"""By variant, model and picture: score by class, the likeliest first."""


def load(folder: Path) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """What a run was answered; empty when nothing yet.

    Raises:
        Fault: the file is not JSON.
    """
    path = folder / PREDICTIONS_FILE
    if not path.is_file():
        return {}
    try:
        known: dict[str, dict[str, dict[str, dict[str, Any]]]] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise Fault(f"{path}: not JSON ({fault}); measure again") from fault
    return known


def store(folder: Path, variant: str, model: str, answers: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep a model's answers in a variant."""
    known = load(folder)
    known.setdefault(variant, {})[model] = {picture: dict(answer) for picture, answer in answers.items()}
    (folder / PREDICTIONS_FILE).write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def differences(answers: Answers) -> list[str]:
    """Everything in which a variant differs from the first, as sentences; empty when all agree."""
    variants = list(answers)
    found = [f"{variant}: {fault}" for variant in variants for fault in _broken(answers[variant])]
    for variant in variants[1:]:
        found += [f"{variant}: {fault}" for fault in _differ(answers[variants[0]], answers[variant])]
    return found


def lines(answers: Answers) -> list[str]:
    """The answers for people: each once where the variants agree, then whether they do."""
    said = []
    for variant, models in answers.items():
        for model, pictures in models.items():
            for picture, answer in pictures.items():
                best = ", ".join(f"{name} {score}" for name, score in list(answer.items())[:3])
                said.append(f"{variant} {model} {picture}: {best}")
    count = len(answers)
    if not differences(answers):
        said.append(
            f"{count} variants agree: the same classes, scores within {TOLERANCE:g}"
            if count > 1
            else "one variant measured: nothing to compare it with"
        )
    return said


def _broken(models: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    for model, pictures in models.items():
        for picture, answer in pictures.items():
            if not answer or not all(isinstance(score, int | float) for score in answer.values()):
                yield f"{model} did not classify {picture}: {json.dumps(answer)}"


def _differ(
    first: Mapping[str, Mapping[str, Mapping[str, Any]]], other: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> Iterator[str]:
    for model in sorted(first.keys() | other.keys()):
        for picture in sorted(first.get(model, {}).keys() | other.get(model, {}).keys()):
            ours, theirs = first.get(model, {}).get(picture), other.get(model, {}).get(picture)
            if ours is None or theirs is None:
                yield f"{model} was asked {picture} in one variant only"
            elif ours.keys() != theirs.keys():
                yield f"{model} sees {', '.join(theirs)} in {picture}, not {', '.join(ours)}"
            elif not all(_alike(ours[name], theirs[name]) for name in ours):
                yield f"{model} scores {picture} differently: {json.dumps(theirs)}, not {json.dumps(ours)}"


def _alike(one: object, other: object) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return abs(one - other) <= TOLERANCE if numbers else one == other  # type: ignore[operator]
