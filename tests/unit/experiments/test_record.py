"""What a run writes is what a table reads; what is broken is named with its place."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import explained
from experiments.explained import Explained
from experiments.fault import Fault
from experiments.record import RUN_FILE, SAMPLES_FILE, Recorder, Run, Sample, read
from experiments.reserve import reserved

RUN = Run(
    command="experiments run --cloud oke",
    commit="",
    machine={"cpus": 2},
    cloud="oke",
    published=True,
    serving="modelled",
    accounting="nominal",
    mode="bin-select",
    families=("VM.GPU2",),
    variants=("dynamic",),
    points=("idle",),
    started_at="2026-01-01T00:00:00+00:00",
)


def sample(price: Decimal = Decimal("2.686"), *, steady: bool = True) -> Sample:
    return Sample("2026-01-01T00:00:01+00:00", "dynamic", "idle", 4, {"vgg16": 1}, price, steady)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "new" / "folder")
    recorder.begin(RUN)
    recorder.add(sample(steady=False))
    recorder.add(sample())
    assert read(tmp_path / "new" / "folder") == (RUN, (sample(steady=False), sample()))


def test_a_file_of_before_machines_and_world_were_recorded_is_read_too(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.begin(RUN)
    recorder.add(sample())
    for name, key in ((RUN_FILE, "world"), (SAMPLES_FILE, "machines")):
        known = json.loads((tmp_path / name).read_text())
        del known[key]
        (tmp_path / name).write_text(json.dumps(known))
    assert read(tmp_path) == (RUN, (sample(),))


@given(st.decimals("0", "1000", places=6).map(Decimal))
def test_a_price_survives_the_file(tmp_path_factory: pytest.TempPathFactory, price: Decimal) -> None:
    folder = tmp_path_factory.mktemp("run")
    recorder = Recorder(folder)
    recorder.begin(RUN)
    recorder.add(sample(price))
    assert read(folder)[1][0].price_per_hour == price


def test_a_new_run_forgets_the_samples_of_the_last(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.begin(RUN)
    recorder.add(sample())
    explained.store(tmp_path, "idle", "right-sized", Explained(Decimal(1)))
    recorder.begin(RUN)
    assert read(tmp_path) == (RUN, ())
    assert explained.load(tmp_path) == {}


def test_where_nothing_was_measured_the_way_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"no run\.json there; measure first with `python -m experiments run`"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (RUN_FILE, "{}", r"run\.json: command: Field required; measure again"),
        (RUN_FILE, "not json", r"run\.json: .*Invalid JSON.*; measure again"),
        (SAMPLES_FILE, '{"time": "x"}\n', r"samples\.jsonl, line 1: variant: Field required; measure again"),
        (SAMPLES_FILE, "torn", r"samples\.jsonl, line 1: .*; measure again"),
    ],
)
def test_a_broken_file_is_named_with_line_and_field(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    Recorder(tmp_path).begin(RUN)
    (tmp_path / name).write_text(text)
    with pytest.raises(Fault, match=message):
        read(tmp_path)


def test_a_folder_is_one_runs_at_a_time(tmp_path: Path) -> None:
    with reserved(tmp_path), pytest.raises(Fault, match="another run is writing there"), reserved(tmp_path):
        pass
    with reserved(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault, match="cannot be written to"), reserved(tmp_path / "file" / "out"):
        pass
