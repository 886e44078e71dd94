"""Which changes a variant follows by itself: judged by evidence, kept, shown beside the published judgements."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from experiments import evidence
from experiments.cli import app
from experiments.complexity import judge
from experiments.declared import declared
from experiments.evidence import (
    CHANGES,
    EVIDENCE_FILE,
    MAX_WORKERS,
    OFFERINGS,
    WORKER_SIZE,
    Asked,
    Evidence,
    Read,
)
from experiments.fault import Fault
from experiments.published import VARIANTS, published
from experiments.record import Sample
from experiments.results import results
from tests.support.measured import measured
from tests.unit.experiments.rows import autoscaler, gke_pool, oke_autoscaler, oke_pool

WORKERS = [autoscaler("vgg16", 3), autoscaler("squeezenet1-1", 3)]
MAX_SIZED = declared([oke_pool("gpu-fixed", 6), *WORKERS])
DYNAMIC = declared([oke_pool("gpu-autoscaled", 0), oke_autoscaler(12, "gpu-autoscaled"), *WORKERS])
RIGHT_SIZED = Evidence(
    other_pools=("management",),
    settings=(Read("ConfigMap provisioner", "policy.families", ()),),
    asked=tuple(Asked(change, "more of it", "2 x a1", served=True) for change in CHANGES),
)
EVERY = dict(zip(VARIANTS, (MAX_SIZED, DYNAMIC, RIGHT_SIZED), strict=True))


def verdicts(found: Evidence) -> dict[str, bool]:
    return {change: one.adapts for change, one in judge(found).items()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_is_judged_by_its_resources_as_the_talk_judged_it(variant: str) -> None:
    assert verdicts(EVERY[variant]) == published().complexity[variant].model_dump()


@pytest.mark.parametrize(
    ("pool", "grows"),
    [
        (gke_pool("a", autoscaling={"totalMaxNodeCount": 7}), True),
        (gke_pool("a", autoscaling={"totalMaxNodeCount": 6}), False),
        (gke_pool("a", nodeCount=7), False),
    ],
)
def test_more_workers_have_nodes_where_an_autoscaler_may_have_more_than_are_needed(
    pool: dict[str, object], *, grows: bool
) -> None:
    assert verdicts(declared([pool, *WORKERS]))[MAX_WORKERS] is grows


def test_a_fixed_pool_beside_an_autoscaled_one_does_not_grow_by_itself() -> None:
    assert not verdicts(declared([oke_pool("a"), oke_pool("b"), oke_autoscaler(12, "b"), *WORKERS]))[
        MAX_WORKERS
    ]


def test_a_change_that_the_planner_has_no_node_for_is_not_followed() -> None:
    refused = Asked(OFFERINGS, "none of it", "2 get no node", served=False)
    told = Asked(WORKER_SIZE, "far more of it", "2 get no node", served=False, decides=False)
    asked = (*RIGHT_SIZED.asked, refused, told)
    found = judge(Evidence(asked=asked))
    assert verdicts(Evidence(asked=asked)) == {MAX_WORKERS: True, WORKER_SIZE: True, OFFERINGS: False}
    assert found[WORKER_SIZE].why.endswith("has a node for every worker then; not with far more of it")
    assert found[OFFERINGS].why.endswith("has no node for some workers then")


def test_where_nothing_was_read_or_asked_nothing_is_judged() -> None:
    assert judge(Evidence(other_pools=("management",), unknown="no settings")) == {}


def test_what_the_run_saw_is_told_and_decides_nothing() -> None:
    seen = [
        Sample("", "max-sized", "idle", 8, {"vgg16": 1}, Decimal(1), steady, {"gpu": 6, "small": 2})
        for steady in (False, True)
    ]
    told = judge(MAX_SIZED, seen)
    assert Read("samples.jsonl", "nodes in steady state", ("8 for 1 workers",)) in told[MAX_WORKERS].evidence
    assert (
        Read("samples.jsonl", "machines, those for management too", ("gpu", "small"))
        in told[WORKER_SIZE].evidence
    )
    assert {change: one.adapts for change, one in told.items()} == verdicts(MAX_SIZED)


def folder_with(out: Path, **found: Evidence) -> Path:
    folder = measured(out).folder
    for variant, one in found.items():
        evidence.store(folder, variant.replace("_", "-"), one)
    return folder


def test_evidence_is_read_as_it_was_written(tmp_path: Path) -> None:
    for variant, one in EVERY.items():
        evidence.store(tmp_path, variant, one)
    assert evidence.load(tmp_path) == EVERY


@pytest.mark.parametrize(
    ("text", "fault"),
    [("torn", "not what a run writes"), ('{"variants": {"dynamic": {"pools": 1}}}', "dynamic.pools")],
)
def test_a_file_that_is_none_of_ours_is_a_fault(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / EVIDENCE_FILE).write_text(text)
    with pytest.raises(Fault, match=rf"complexity\.json: {fault}.*; measure again"):
        evidence.load(tmp_path)


def test_table_complexity_prints_the_promised_document(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, max_sized=MAX_SIZED, dynamic=DYNAMIC)
    asked = ["table", "complexity", "--cloud", "oke", "--out", str(folder), "--json"]
    document = json.loads(CliRunner().invoke(app, asked).stdout)
    assert list(document) == ["variants", "evidence", "why", "published"]
    assert document["why"]["dynamic"]["max_workers"].startswith("an autoscaler may have 12 nodes")
    assert document["variants"]["max-sized"] == dict.fromkeys(CHANGES, False)
    assert {
        "resource": "Addon ClusterAutoscaler",
        "property": "configurations.nodes, most of gpu-autoscaled",
        "value": 12,
    } in document["evidence"]["dynamic"]["max_workers"]
    assert document["published"]["right-sized"] == dict.fromkeys(CHANGES, True)
    assert "right-sized" not in document["variants"]


def test_the_table_fits_80_columns_and_names_what_each_judgement_was_read_from(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, max_sized=MAX_SIZED, right_sized=RIGHT_SIZED)
    text = io.StringIO()
    Console(file=text, width=80).print(results(folder, "oke").complexity_table())
    shown = text.getvalue()
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "…" not in shown
    said = " ".join(shown.split())
    assert (
        "max-sized, max worker count, by hand: a pool's size is what somebody declared. NodePool gpu-fixed:"
        " nodeConfigDetails.size = 6; HorizontalPodAutoscaler vgg16: spec.maxReplicas = 3; "
    ) in said
    assert (
        "right-sized, worker size, by itself: no pool is declared, and the provisioner's planner has a node for"
        " every worker then. state of the stack: node pools, of which none is for inference = management;"
        " ConfigMap provisioner: policy.families = any; asked of the planner: more of it: 2 x a1; samples.jsonl: "
    ) in said


def test_without_evidence_the_way_out_is_said(tmp_path: Path) -> None:
    folder = measured(tmp_path).folder
    result = CliRunner().invoke(app, ["table", "complexity", "--cloud", "oke", "--out", str(folder)])
    assert result.exit_code == 1
    assert "no evidence there; bring stacks up by `python -m experiments run --cloud oke`" in result.stderr
