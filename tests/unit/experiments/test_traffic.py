import itertools
from pathlib import Path
from threading import Lock

import pytest

from catalog.names import PULL_SECRET
from experiments import predictions
from experiments.fault import Fault, Interrupted, Unreachable
from experiments.latency import LATENCIES
from experiments.traffic import Files, Form, Traffic

URL = "http://127.1.2.3:8080/predictions/vgg16"


class Cluster:
    """Knows where vgg16 answers, and a log of one request a second from second 0 on."""

    def __init__(self, endpoints: dict[str, str] | None = None, log: str | None = None) -> None:
        self._endpoints = {"vgg16": URL} if endpoints is None else endpoints
        rows = (f'{{"at": {at}, "s": 0.25, "code": 200}}' for at in range(200))
        self._log = '{"picture": "cat", "answer": {"tabby": 1.0}}\n' + "\n".join(rows) if log is None else log

    def endpoints(self) -> dict[str, str]:
        return self._endpoints

    def job_log(self, name: str) -> str:
        assert name == "load-vgg16"
        return self._log


def made(cluster: Cluster, out: Path, variant: str = "right-sized", *, stopped: bool = False) -> Traffic:
    files = Files(out, Lock(), latency=variant == "right-sized")
    return Traffic(variant, cluster, files, lambda _seconds: stopped)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the clock is a minute after the last."""
    times = itertools.count(60, 60)
    monkeypatch.setattr("experiments.traffic.time.time", lambda: float(next(times)))


def test_the_load_goes_to_the_balancer_at_the_models_rate(tmp_path: Path) -> None:
    job = made(Cluster(), tmp_path).load("vgg16")

    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["--model", "vgg16", "--url", URL, "--rate", "0.8", "--least-cores", "0.2"]
    assert job["metadata"]["name"] == "load-vgg16"


def test_the_published_form_keeps_so_many_requests_in_flight(tmp_path: Path) -> None:
    closed = Traffic("right-sized", Cluster(), Files(tmp_path, Lock()), lambda _seconds: False, Form(150))

    (container,) = closed.load("vgg16")["spec"]["template"]["spec"]["containers"]
    closed.measure("peak", frozenset({"vgg16"}))

    assert container["args"][-2:] == ["--connections", "150"]
    assert LATENCIES.load(tmp_path)["peak"]["right-sized"]["vgg16"].connections == 150


def test_a_service_without_an_address_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="the Service of vgg16 has no load balancer yet"):
        made(Cluster({}), tmp_path).load("vgg16")


def test_a_model_without_a_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="resnet50: no rate is known"):
        made(Cluster({"resnet50": URL}), tmp_path).load("resnet50")


def test_a_point_without_load_measures_nothing(tmp_path: Path) -> None:
    made(Cluster(), tmp_path).measure("idle", frozenset())

    assert list(tmp_path.iterdir()) == []


def test_the_window_alone_is_measured(tmp_path: Path) -> None:
    made(Cluster(), tmp_path).measure("peak", frozenset({"vgg16"}))

    found = LATENCIES.load(tmp_path)["peak"]["right-sized"]["vgg16"]
    assert (found.requests, found.rate_per_s, found.requests_since_start) == (60, 1.0, 200)
    assert predictions.load(tmp_path) == {"right-sized": {"vgg16": {"cat": {"tabby": 1.0}}}}


def test_a_gpu_variant_on_a_machine_without_gpu_gives_predictions_and_no_latency(tmp_path: Path) -> None:
    made(Cluster(), tmp_path, "dynamic").measure("peak", frozenset({"vgg16"}))

    assert LATENCIES.load(tmp_path) == {}
    assert "dynamic" in predictions.load(tmp_path)


def test_a_load_that_sends_nothing_is_a_fault_that_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="kubectl logs -n inference job/load-vgg16"):
        made(Cluster(log="no such program"), tmp_path).measure("peak", frozenset({"vgg16"}))


def test_a_stop_is_heeded(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        made(Cluster(), tmp_path, stopped=True).measure("peak", frozenset({"vgg16"}))


def test_a_trickle_is_a_tenth_of_the_rate(tmp_path: Path) -> None:
    (container,) = made(Cluster(), tmp_path).trickle("vgg16")["spec"]["template"]["spec"]["containers"]

    assert container["args"][-4:] == ["--rate", "0.08", "--least-cores", "0.02"]


def test_requests_that_failed_are_counted_among_all_of_the_loads_that_run(tmp_path: Path) -> None:
    log = "\n".join(f'{{"at": {at}, "s": 0.25, "code": {200 if at else 503}}}' for at in range(5))

    assert made(Cluster(log=log), tmp_path).answered(["vgg16"]) == (1, 5)


def test_a_real_cluster_pulls_the_generator_from_the_registry(tmp_path: Path) -> None:
    form = Form(registry="iad.ocir.io/mine")
    traffic = Traffic("right-sized", Cluster(), Files(tmp_path, Lock()), lambda _seconds: False, form)

    for job in (traffic.load("vgg16"), traffic.trickle("vgg16")):
        spec = job["spec"]["template"]["spec"]
        assert spec["containers"][0]["image"] == "iad.ocir.io/mine/rightsize/load:0.1.0"
        assert spec["imagePullSecrets"] == [{"name": PULL_SECRET}]
