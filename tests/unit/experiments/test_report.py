"""The report's page: whole, complete in itself, the same figures as the terminal."""

import io
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from experiments import evidence, explained
from experiments.cli import app
from experiments.declared import declared
from experiments.explained import Explained
from experiments.fault import Fault
from experiments.record import GIVEN, LIVE, Recorder, read
from experiments.report.page import page
from experiments.results import Results, all_results
from experiments.said import Said
from tests.support.measured import measured
from tests.unit.experiments.pages import Page
from tests.unit.experiments.rows import oke_pool

ABOVE_LEAST = Explained(
    Decimal("0.246"), Decimal("0.245"), Decimal("0.245"), (Said("2026-01-02T03:04:05Z", "it would not pay"),)
)
FIGURE = re.compile(r"\d+\.?\d*")


def everything(out: Path) -> tuple[Results, ...]:
    """Both clouds, and all that a run may have measured."""
    measured(out).scale_up().scale_up("dynamic", order_s=None).latency().answers().answers("dynamic")
    measured(out, "gke", world=LIVE, notes=("right-sized: back from peak; 0 of 9 requests failed meanwhile",))
    own = measured(out, reproduces=False, world=GIVEN)
    explained.store(own.folder, "peak", "right-sized", ABOVE_LEAST)
    evidence.store(own.folder, "max-sized", declared([oke_pool("gpu-fixed", 6)]))
    return all_results(out)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, ...]:
    return everything(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def shown(found: tuple[Results, ...]) -> Page:
    return Page(page(found))


def test_every_element_is_closed_where_it_should_be(shown: Page) -> None:
    assert shown.faults == []
    assert shown.text.startswith("<!DOCTYPE html>")


def test_it_asks_for_nothing_from_elsewhere(shown: Page) -> None:
    assert shown.asked_for == []
    assert not {"script", "iframe", "link", "img", "object"} & {tag for tag, _ in shown.tags}
    assert "url(" not in shown.text
    assert "@import" not in shown.text
    policy = next(meta["content"] for meta in shown.all_of("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy


def test_every_link_of_its_own_leads_somewhere_and_no_name_is_twice(shown: Page) -> None:
    links = [link["href"].removeprefix("#") for link in shown.all_of("a")]
    assert links
    assert set(links) <= set(shown.ids)
    assert len(set(shown.ids)) == len(shown.ids)


def test_who_cannot_see_is_told_what_there_is(shown: Page) -> None:
    assert shown.all_of("html") == [{"lang": "en"}]
    assert all(plot["aria-label"] and plot["role"] == "img" for plot in shown.all_of("svg"))
    assert all(head["scope"] in {"col", "row", "rowgroup"} for head in shown.all_of("th"))
    tags = [tag for tag, _ in shown.tags]
    assert tags.count("table") == tags.count("caption") == tags.count("thead")
    assert [tag for tag in tags if tag in {"h1", "h2"}] == ["h1", *["h2"] * 8]


@pytest.mark.parametrize("kind", ["cost", "scale-up", "latency"])
def test_it_has_every_line_of_the_terminals_tables(
    found: tuple[Results, ...], shown: Page, kind: str
) -> None:
    tables = {
        "cost": [one.cost_table() for one in found],
        "scale-up": [one.scale_up_table() for one in found if one.scale_ups],
        "latency": [one.latency_table() for one in found if one.latencies],
    }[kind]
    rows = [[cell.strip() for cell in row] for row in shown.rows]
    lines = [line for table in tables for line in cells(table)]
    assert lines
    for name, *figures in lines:
        # A legend may be of two lines where its figures are of one.
        assert any(name in row[0] and row[1:] == figures for row in rows), (name, figures)


def cells(table: RenderableType) -> list[list[str]]:
    """Lines with figures of a table, as the terminal prints it."""
    text = io.StringIO()
    Console(file=text, width=200).print(table)
    rows = [line.strip("│").split("│") for line in text.getvalue().splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in row] for row in rows if any(FIGURE.search(cell) for cell in row[1:])]


def test_it_has_the_least_possible_price_and_why_a_run_stayed_above_it(shown: Page) -> None:
    assert ["Both models peak", "7.7860 =", "7.7860 =", "0.2460 =", "0.2450"] in [
        [cell.strip() for cell in row] for row in shown.rows
    ]
    assert "$0.001 an hour above that. The provisioner: “it would not pay” (at 03:04:05 UTC)." in shown.said


def test_it_says_what_follows_a_change_by_itself_and_from_what_that_was_read(shown: Page) -> None:
    assert ["max-sized", "by hand =", "by hand =", "by hand ="] in [
        [cell.strip() for cell in row] for row in shown.rows
    ]
    assert "NodePool gpu-fixed: nodeConfigDetails.size = 6" in shown.said


def test_a_page_without_evidence_shows_the_published_judgements_and_how_to_get_it(tmp_path: Path) -> None:
    measured(tmp_path)
    said = Page(page(all_results(tmp_path))).said
    assert "Published: what follows a change by itself" in said
    assert "Not measured. Measure it by python -m experiments run --cloud oke." in said


def test_a_plot_shows_the_figures_of_its_table(shown: Page) -> None:
    plots = re.findall(r"<svg.*?</svg>", shown.text, re.DOTALL)
    cost = next(plot for plot in plots if "OKE, published settings: cost" in plot)
    assert cost.count(">7.7860<") == 2 * (4 + 1)
    assert cost.count(">0.1635<") == 2
    saving = next(plot for plot in plots if "OKE, published settings: saving" in plot)
    assert saving.count(">47.6<") == 2
    assert all("NaN" not in plot for plot in plots)


def test_it_says_how_and_where_each_run_was_made(shown: Page) -> None:
    for words in (
        "emulated cloud on one machine",
        "real cloud",
        "a cluster that was already there",
        "nominal accounting, bin-select; VM.Standard.A1, VM.GPU2",
        "2026-01-02 03:04 UTC",
        "4 min 30 s",
        "2 CPUs, 8 GiB, Linux x86_64, Python 3.11.2",
        "experiments run --cloud gke",
        "0123abc",
    ):
        assert words in shown.said


def test_it_says_what_was_bought_and_when(shown: Page) -> None:
    assert ["1:00", "Both models peak", "+3", "small, 1 vCPU, 4 GiB", "8", "0.2460"] in shown.rows
    assert ["1:30", "vgg16 peak, squeezenet idle", "-3", "small, 1 vCPU, 4 GiB", "5", "0.2115"] in shown.rows


def test_it_has_verdicts_predictions_and_notes(shown: Page) -> None:
    assert "right-sized vgg16 at peak: pass: p99 0.420 s <= 0.5 s, 0 of 96 requests failed" in shown.said
    assert "dynamic vgg16 cat: Egyptian_cat 0.5234, tabby 0.2511" in shown.said
    assert "2 variants agree" in shown.said


def test_the_published_latency_has_no_colour_of_ours(shown: Page) -> None:
    assert '<span class="good">0.3100 / 0.4200</span>' in shown.text
    assert '<span class="dim">0.2243 / 0.2703</span>' in shown.text


def test_what_is_missing_is_said_with_the_command_that_makes_it(tmp_path: Path) -> None:
    measured(tmp_path)
    said = Page(page(all_results(tmp_path))).said
    for words in (
        "GKE, published settings: not measured. Measure it by python -m experiments run --cloud gke --published.",
        "OKE, own settings: not measured. Measure it by python -m experiments run --cloud oke.",
        "After make serving, measure it by python -m experiments run --cloud oke --variants right-sized",
    ):
        assert words in said
    assert said.count("--serving real.") == 2
    assert "OKE, published settings: not measured" not in said


def test_a_run_of_which_little_is_known_has_a_page_all_the_same(tmp_path: Path) -> None:
    known = measured(tmp_path)
    run, samples = read(known.folder)
    recorder = Recorder(known.folder)
    recorder.begin(replace(run, world="", machine={}, commit="", command="", finished_at=None))
    recorder.add(replace(samples[0], machines={}, steady=False))

    shown = Page(page(all_results(tmp_path)))

    assert shown.faults == []
    assert "did not come to its end" in shown.said
    assert "where not recorded" in " ".join(" ".join(shown.words).split())
    assert "The machines of this run were not recorded" in shown.said
    assert "not measured" in {cell.strip() for row in shown.rows for cell in row}


def test_a_run_that_saw_nothing_has_a_page_all_the_same(tmp_path: Path) -> None:
    known = measured(tmp_path)
    Recorder(known.folder).begin(read(known.folder)[0])
    assert (
        "No samples. Measure again by python -m experiments run --cloud oke."
        in Page(page(all_results(tmp_path))).said
    )


def test_what_a_run_wrote_is_never_taken_for_html(tmp_path: Path) -> None:
    measured(tmp_path, command="run <script>alert(1)</script> & more")
    shown = Page(page(all_results(tmp_path)))
    assert shown.all_of("script") == []
    assert "run <script>alert(1)</script> & more" in shown.said


def test_the_same_runs_make_the_same_page(found: tuple[Results, ...], shown: Page) -> None:
    assert page(found) == shown.text


def test_a_run_in_a_folder_of_another_name_is_told_by_it(tmp_path: Path) -> None:
    measured(tmp_path).folder.rename(tmp_path / "before")
    measured(tmp_path)
    said = Page(page(all_results(tmp_path))).said
    assert "OKE, published settings (before): saving factor" in said
    assert "OKE, published settings: saving factor" in said


def test_the_command_writes_the_page_and_prints_its_path(tmp_path: Path) -> None:
    measured(tmp_path)
    result = CliRunner().invoke(app, ["report", "--out", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'report.html'}\n")
    assert Page((tmp_path / "report.html").read_text(encoding="utf-8")).faults == []


def test_a_folder_of_one_run_has_its_page_too(tmp_path: Path) -> None:
    folder = measured(tmp_path).folder
    assert CliRunner().invoke(app, ["report", "--out", str(folder)]).exit_code == 0
    assert (folder / "report.html").is_file()


def test_without_any_run_the_way_out_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["report", "--out", str(tmp_path / "none")])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: {tmp_path / 'none'}: no run there; measure first with `make demo`,"
        " or `python -m experiments run --cloud oke`\n"
    )


def test_a_page_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    measured(tmp_path)
    (tmp_path / "report.html").mkdir()
    result = CliRunner().invoke(app, ["report", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "cannot be written to" in result.stderr


def test_a_time_that_is_none_is_a_fault(tmp_path: Path) -> None:
    known = measured(tmp_path)
    run, samples = read(known.folder)
    recorder = Recorder(known.folder)
    recorder.begin(run)
    recorder.add(replace(samples[0], time="noon"))
    with pytest.raises(Fault, match="'noon' is no time in ISO 8601; measure again"):
        page(all_results(tmp_path))


def test_published_runs_come_first_and_oke_before_gke(found: tuple[Results, ...]) -> None:
    assert [one.folder.name for one in found] == ["oke-published", "gke-published", "oke"]
