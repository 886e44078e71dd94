from pathlib import Path
from typing import Any

import pytest

from experiments import predictions

CAT = {"Egyptian_cat": 0.52, "tiger_cat": 0.285}


def variants(*cats: dict[str, Any]) -> predictions.Answers:
    return {f"variant-{number}": {"squeezenet1_1": {"cat": cat}} for number, cat in enumerate(cats)}


def test_the_same_answers_agree_and_so_do_scores_a_hair_apart() -> None:
    assert predictions.differences(variants(CAT, {**CAT, "tiger_cat": 0.28509})) == []


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        ({**CAT, "tiger_cat": 0.2852}, "variant-1: squeezenet1_1 scores cat differently"),
        (
            {"Egyptian_cat": 0.52, "lynx": 0.285},
            "variant-1: squeezenet1_1 sees Egyptian_cat, lynx in cat, not",
        ),
        ({"error": "HTTP Error 500"}, "variant-1: squeezenet1_1 did not classify cat"),
        ({}, "variant-1: squeezenet1_1 did not classify cat"),
    ],
    ids=["score", "class", "broken archive", "nothing"],
)
def test_any_difference_is_said(other: dict[str, Any], fault: str) -> None:
    assert predictions.differences(variants(CAT, other))[0].startswith(fault)


def test_one_broken_variant_alone_is_a_difference() -> None:
    assert predictions.differences(variants({"error": "gone"})) != []


def test_what_only_one_variant_was_asked_is_no_agreement() -> None:
    answers = {"a": {"vgg16": {"cat": CAT}}, "b": {"vgg16": {"cat": CAT, "coffee": CAT}}}

    assert predictions.differences(answers) == ["b: vgg16 was asked coffee in one variant only"]


def test_what_was_stored_is_loaded(tmp_path: Path) -> None:
    predictions.store(tmp_path, "right-sized", "vgg16", {"cat": CAT})
    predictions.store(tmp_path, "dynamic", "vgg16", {"cat": CAT})

    known = predictions.load(tmp_path)

    assert known == {"right-sized": {"vgg16": {"cat": CAT}}, "dynamic": {"vgg16": {"cat": CAT}}}
    assert predictions.lines(known)[-1] == "2 variants agree: the same classes, scores within 0.0001"
