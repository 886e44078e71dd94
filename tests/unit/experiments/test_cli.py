"""The command line: promised documents, clear refusals, exit codes."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiments import predictions
from experiments.cli import app
from experiments.latency import LATENCIES, Latency
from experiments.published import published
from experiments.record import Recorder, Run, Sample
from experiments.scale_up import SCALE_UPS, ScaleUp

OKE = published().clouds["oke"].cost
RUN = Run("", "", {}, "oke", True, "modelled", "nominal", "bin-select", ("VM.GPU2",), (), (), "")


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    recorder = Recorder(folder)
    recorder.begin(RUN)
    for point, row in OKE.items():
        for variant, price in row.items():
            recorder.add(Sample("", variant, point, 4, {}, Decimal(99)))
            recorder.add(Sample("", variant, point, 4, {}, price, steady=True))
    return folder


def test_table_cost_prints_one_document(measured: Path) -> None:
    result = CliRunner().invoke(app, ["table", "cost", "--cloud", "oke", "--out", str(measured), "--json"])
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["cloud"], document["accounting"], document["mode"]) == ("oke", "nominal", "bin-select")
    assert document["points"] == document["published"]


def test_table_cost_prints_a_table_and_what_it_says(measured: Path) -> None:
    result = CliRunner().invoke(app, ["table", "cost", "--cloud", "oke", "--out", str(measured)])
    assert result.exit_code == 0
    assert "all 12 measured cells equal the published ones" in " ".join(result.stdout.split())


def test_table_clouds_shows_the_clouds_that_were_measured(measured: Path) -> None:
    measured.rename(measured.parent / "oke-published")
    result = CliRunner().invoke(
        app, ["table", "clouds", "--published", "--out", str(measured.parent), "--json"]
    )
    assert result.exit_code == 0
    assert list(json.loads(result.stdout)) == ["oke"]
    shown = CliRunner().invoke(app, ["table", "clouds", "--published", "--out", str(measured.parent)])
    assert "OKE: nominal accounting, bin-select: all 12" in " ".join(shown.stdout.split())


def test_a_table_of_nothing_says_how_to_measure(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["table", "cost", "--cloud", "oke", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: {tmp_path}: no run.json there; measure first")
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--variants", "biggest"], "biggest given; there are max-sized, dynamic, right-sized"),
        (["--points", "idle,noon"], "noon given; there are idle, peak,"),
        (["--variants", ","], "nothing given"),
        (["--live", "--kubeconfig", "f", "--variant", "dynamic"], "exclude each other"),
        (["--kubeconfig", "f"], "belong together"),
        (["--variant", "dynamic"], "belong together"),
        (["--serving", "imagined"], "'imagined' is not"),
        (["--connections", "150"], "--connections needs --serving real"),
        (["--set", "provisioner.mode"], "--set 'provisioner.mode': expected KEY=VALUE"),
        (["--set", "=x"], "--set '=x': expected KEY=VALUE"),
        (["--set", "a=b", "--live"], "--set is for emulated clouds"),
    ],
)
def test_wrong_usage_is_refused_before_anything_starts(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app, ["run", "--cloud", "oke", "--out", str(out), *arguments], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert not out.exists()


def test_a_cloud_that_cannot_be_measured_is_wrong_usage() -> None:
    assert CliRunner().invoke(app, ["table", "cost", "--cloud", "moon"]).exit_code == 2


CAT = {"Egyptian_cat": 0.52}


def test_table_latency_prints_the_promised_document(measured: Path) -> None:
    one = Latency(0.1, 0.2, 0.3, 48, 0, 0.8)
    LATENCIES.store(measured, "peak", "right-sized", {"vgg16": one})

    result = CliRunner().invoke(app, ["table", "latency", "--cloud", "oke", "--out", str(measured), "--json"])

    document = json.loads(result.stdout)
    cell = document["points"]["peak"]["right-sized"]["vgg16"]
    promised = {"p50_s": 0.1, "p95_s": 0.2, "p99_s": 0.3, "requests": 48, "errors": 0, "rate_per_s": 0.8}
    assert promised.items() <= cell.items()
    assert document["published"]["gpu"]["vgg16"] == {"p95_s": 0.2453, "p99_s": 0.4457}


@pytest.mark.parametrize("command", [["table", "latency"], ["predictions"]])
def test_without_real_serving_there_is_nothing_to_show(measured: Path, command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--cloud", "oke", "--out", str(measured)])

    assert result.exit_code == 1
    assert "--serving real" in result.stderr


def test_predictions_that_agree_are_shown(measured: Path) -> None:
    for variant in ("right-sized", "dynamic"):
        predictions.store(measured, variant, "squeezenet1_1", {"cat": CAT})

    result = CliRunner().invoke(app, ["predictions", "--cloud", "oke", "--out", str(measured)])

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("2 variants agree")


def test_predictions_that_differ_are_a_fault(measured: Path) -> None:
    predictions.store(measured, "right-sized", "squeezenet1_1", {"cat": CAT})
    predictions.store(measured, "dynamic", "squeezenet1_1", {"cat": {"lynx": 0.52}})

    result = CliRunner().invoke(app, ["predictions", "--cloud", "oke", "--out", str(measured), "--json"])

    assert result.exit_code == 1
    assert json.loads(result.stdout)["differences"]
    assert result.stderr.startswith("error: predictions differ: dynamic: squeezenet1_1 sees lynx in cat")


def test_table_scale_up_shows_every_part_and_says_where_an_order_is_not_known(measured: Path) -> None:
    known = ScaleUp(50, 3, 8, 1, 12, 2, 20, 7)
    SCALE_UPS.store(measured, "peak", "right-sized", {"vgg16": known})
    SCALE_UPS.store(measured, "peak", "dynamic", {"vgg16": replace(known, order_s=None, boot_s=13)})
    asked = ["table", "scale-up", "--cloud", "oke", "--out", str(measured)]

    document = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert document["points"]["peak"]["right-sized"]["vgg16"]["pull_s"] == 20
    shown = CliRunner().invoke(app, asked, env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    assert "vgg16 +3, right-sized" in shown.stdout
    assert "no event says when" in " ".join(shown.stdout.split())
    assert "modelled: servers are ready at once" in " ".join(shown.stdout.split())
