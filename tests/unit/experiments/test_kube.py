"""The few calls to an API server: what is asked, and what each answer becomes."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from experiments.fault import Fault, Unreachable
from experiments.kube import Kube
from experiments.load import job

TOKEN = "a-token"


@dataclass
class FakeApi:
    """Answers by path; 404 for all else. Records what was asked."""

    port: int = 0
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    def kubeconfig(self) -> str:
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
                "users": [{"name": "u", "user": {"token": TOKEN}}],
            }
        )

    def answer(self, path: str) -> tuple[int, Any]:
        return self.answers.get(path.partition("?")[0], (404, {"message": f"{path} not found"}))


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fake.asked.append((self.command, self.path, self.headers.get("Authorization")))
            status, body = fake.answer(self.path)
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = do  # noqa: N815  # names that http.server calls

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


NODES = "/api/v1/nodes"
PODS = "/api/v1/pods"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/inference/horizontalpodautoscalers"
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/inference/pods"
DAEMON_SETS = "/apis/apps/v1/daemonsets"
JOBS = "/apis/batch/v1/namespaces/inference/jobs"


def some(name: str) -> dict[str, Any]:
    return {"items": [{"metadata": {"name": name}}]}


def test_a_look_is_one_list_a_kind_with_the_users_credential(api: FakeApi) -> None:
    paths = [NODES, PODS, AUTOSCALERS, METRICS, DAEMON_SETS]
    api.answers = {path: (200, some(path)) for path in paths}
    lists = Kube.of_kubeconfig(api.kubeconfig()).lists()
    kinds = (lists.nodes, lists.pods, lists.autoscalers, lists.metrics, lists.daemon_sets)
    assert [items[0]["metadata"]["name"] for items in kinds] == paths
    assert api.asked == [("GET", path, f"Bearer {TOKEN}") for path in paths]


@pytest.mark.parametrize("status", [404, 503])
def test_a_metrics_api_that_is_not_there_yet_lists_no_pod(api: FakeApi, status: int) -> None:
    api.answers = {path: (200, some("x")) for path in (NODES, PODS, AUTOSCALERS, DAEMON_SETS)}
    api.answers[METRICS] = (status, {"message": "the server is currently unable to handle the request"})
    assert Kube.of_kubeconfig(api.kubeconfig()).lists().metrics == []


def test_daemon_sets_that_may_not_be_read_are_none(api: FakeApi) -> None:
    api.answers = {path: (200, some("x")) for path in (NODES, PODS, AUTOSCALERS, METRICS)}
    api.answers[DAEMON_SETS] = (403, {"message": "daemonsets.apps is forbidden"})
    assert Kube.of_kubeconfig(api.kubeconfig()).lists().daemon_sets == []


def test_what_is_forbidden_is_a_fault_with_the_servers_words(api: FakeApi) -> None:
    api.answers = {NODES: (403, {"message": "nodes is forbidden"})}
    with pytest.raises(Fault, match="/api/v1/nodes: refused: nodes is forbidden"):
        Kube.of_kubeconfig(api.kubeconfig()).lists()


def test_a_server_in_trouble_is_worth_asking_again(api: FakeApi) -> None:
    api.answers = {NODES: (500, {"message": "etcd"})}
    with pytest.raises(Unreachable, match="etcd"):
        Kube.of_kubeconfig(api.kubeconfig()).lists()


def test_a_server_that_does_not_listen_is_worth_asking_again(api: FakeApi) -> None:
    text = api.kubeconfig().replace(str(api.port), "1")
    with pytest.raises(Unreachable):
        Kube.of_kubeconfig(text).lists()


@pytest.mark.parametrize("status", [201, 409])
def test_a_job_is_created_or_kept(api: FakeApi, status: int) -> None:
    api.answers = {JOBS: (status, {})}
    Kube.of_kubeconfig(api.kubeconfig()).create_job(job("vgg16"))
    assert api.asked[0][:2] == ("POST", JOBS)


def test_a_job_that_admission_refuses_is_a_fault(api: FakeApi) -> None:
    api.answers = {JOBS: (403, {"message": "violates PodSecurity"})}
    with pytest.raises(Fault, match="job load-vgg16: refused: violates PodSecurity"):
        Kube.of_kubeconfig(api.kubeconfig()).create_job(job("vgg16"))


@pytest.mark.parametrize("status", [200, 404])
def test_a_job_is_deleted_with_its_pods_or_was_gone(api: FakeApi, status: int) -> None:
    api.answers = {f"{JOBS}/load-vgg16": (status, {})}
    Kube.of_kubeconfig(api.kubeconfig()).delete_job("load-vgg16")
    assert api.asked[0][:2] == ("DELETE", f"{JOBS}/load-vgg16?propagationPolicy=Background")


@pytest.mark.parametrize(
    ("answer", "mode"),
    [
        ((200, {"data": {"settings.yaml": "policy: {mode: bin-select}"}}), "bin-select"),
        ((200, {"data": {}}), None),
        ((403, {}), None),
    ],
)
def test_the_mode_is_what_the_provisioner_was_told(api: FakeApi, answer: Any, mode: str | None) -> None:
    api.answers = {"/api/v1/namespaces/rightsize-system/configmaps/provisioner": answer}
    assert Kube.of_kubeconfig(api.kubeconfig()).provisioner_mode() == mode


@pytest.mark.parametrize("text", ["", "[]", "a: [", "clusters: []"])
def test_what_is_no_kubeconfig_is_a_fault(text: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(Fault, match="kubeconfig: not usable"):
        Kube.of_file(path)


def test_a_kubeconfig_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="cannot be read"):
        Kube.of_file(tmp_path / "missing")


SERVICES = "/api/v1/namespaces/inference/services"
MODEL_PODS = "/api/v1/namespaces/inference/pods"


def service(name: str, model: str | None, **ingress: str) -> dict[str, Any]:
    labels = {"rightsize.io/model": model} if model else {}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"ports": [{"name": "http", "port": 8080}]},
        "status": {"loadBalancer": {"ingress": [ingress]} if ingress else {}},
    }


def test_models_answer_where_their_services_have_an_address_or_a_name(api: FakeApi) -> None:
    items = [
        service("squeezenet1-1", "squeezenet1_1", ip="127.1.2.3"),
        service("vgg16", "vgg16", hostname="lb.example"),
        service("waiting", "resnet50"),
        service("stranger", None, ip="127.1.2.4"),
    ]
    api.answers[SERVICES] = (200, {"items": items})

    assert Kube.of_kubeconfig(api.kubeconfig()).endpoints() == {
        "squeezenet1_1": "http://127.1.2.3:8080/predictions/squeezenet1_1",
        "vgg16": "http://lb.example:8080/predictions/vgg16",
    }


def test_a_jobs_log_is_that_of_all_its_pods(api: FakeApi) -> None:
    api.answers[MODEL_PODS] = (200, {"items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]})
    api.answers[f"{MODEL_PODS}/a/log"] = (200, 1)
    api.answers[f"{MODEL_PODS}/b/log"] = (200, 2)

    assert Kube.of_kubeconfig(api.kubeconfig()).job_log("load-vgg16") == "1\n2"
    assert api.asked[0][1] == f"{MODEL_PODS}?labelSelector=batch.kubernetes.io/job-name=load-vgg16"


def test_a_log_that_cannot_be_read_is_said(api: FakeApi) -> None:
    api.answers[MODEL_PODS] = (200, {"items": [{"metadata": {"name": "a"}}]})
    api.answers[f"{MODEL_PODS}/a/log"] = (400, {"message": "container is waiting"})

    with pytest.raises(Fault, match="pod a: its log cannot be read: container is waiting"):
        Kube.of_kubeconfig(api.kubeconfig()).job_log("load-vgg16")


def test_events_are_those_of_the_models_namespace(api: FakeApi) -> None:
    api.answers["/api/v1/namespaces/inference/events"] = (200, {"items": [{"reason": "NodeOrdered"}]})

    assert Kube.of_kubeconfig(api.kubeconfig()).events() == [{"reason": "NodeOrdered"}]


PROVISIONER_PODS = "/api/v1/namespaces/rightsize-system/pods"


def test_the_provisioners_log_is_the_latest_of_it(api: FakeApi) -> None:
    api.answers[PROVISIONER_PODS] = (200, some("p"))
    api.answers[f"{PROVISIONER_PODS}/p/log"] = (200, 1)

    assert Kube.of_kubeconfig(api.kubeconfig()).provisioner_log() == "1"
    assert [path for _, path, _ in api.asked] == [
        f"{PROVISIONER_PODS}?labelSelector=app.kubernetes.io/name=provisioner",
        f"{PROVISIONER_PODS}/p/log?tailLines=5000",
    ]


def test_a_provisioner_that_does_not_run_has_said_nothing(api: FakeApi) -> None:
    api.answers[PROVISIONER_PODS] = (200, {"items": []})
    assert Kube.of_kubeconfig(api.kubeconfig()).provisioner_log() == ""


def test_the_provisioners_settings_are_text_as_it_reads_them(api: FakeApi) -> None:
    path = "/api/v1/namespaces/rightsize-system/configmaps/provisioner"
    api.answers[path] = (200, {"data": {"settings.yaml": "cloud: oke"}})
    assert Kube.of_kubeconfig(api.kubeconfig()).provisioner_settings() == "cloud: oke"
