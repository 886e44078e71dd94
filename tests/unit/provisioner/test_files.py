"""Files of pods and nodes, as kubectl prints them and as people write them."""

import json
import re
import threading
from os import mkfifo
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner import files
from provisioner.files import FileFault
from tests.support.kube_json import daemon_set_json, node_json, pod_json


def written(path: Path, content: Any) -> Path:
    file = path / "pods"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def listed(*items: Any, kind: str = "List") -> dict[str, Any]:
    return {"kind": kind, "items": list(items)}


def said(read: Any, file: Path) -> list[str]:
    with pytest.raises(FileFault) as error:
        read(file)
    return [line.removeprefix(f"{file}: ") for line in str(error.value).splitlines()]


def by_hand(**metadata: str) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in metadata.items())
    return f"kind: Pod\nmetadata:\n  name: p\n{lines}spec:\n  containers: []\n"


@pytest.mark.parametrize(
    ("time", "year"), [("2026-01-01T00:00:00Z", 2026), ("'2025-01-01T00:00:00Z'", 2025), ("2024-01-01", 2024)]
)
def test_a_time_needs_no_quotation_marks(tmp_path: Path, time: str, year: int) -> None:
    (pod,) = files.pods(written(tmp_path, by_hand(creationTimestamp=time)))
    assert pod.created is not None
    assert pod.created.year == year


@pytest.mark.parametrize("value", ["12:30", "=", "2026-01-01", "1.2.3", "a1", "0x", "~/x"])
def test_text_needs_no_quotation_marks(tmp_path: Path, value: str) -> None:
    (pod,) = files.pods(written(tmp_path, by_hand(labels=f"{{a: {value}}}")))
    assert pod.labels == {"a": value}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("yes", "true"),
        ("off", "false"),
        ("1", "1"),
        ("1_0", "10"),
        ("012", "10"),
        ("1e3", "1000.0"),
        ("~", "null"),
    ],
)
def test_what_kubernetes_takes_for_no_text_is_refused(tmp_path: Path, value: str, shown: str) -> None:
    (fault,) = said(files.pods, written(tmp_path, by_hand(labels=f"{{a: {value}}}")))
    assert fault.startswith(f"pod p: metadata.labels.a: {shown}; expected text")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "is empty; expected objects as `kubectl get -o json` prints them"),
        ("# nothing\n---\n", "is empty; expected objects as `kubectl get -o json` prints them"),
        ("null", "null; expected Kubernetes objects"),
        ("[]", "a list; expected Kubernetes objects"),
        ("some words", "'some words'; expected Kubernetes objects"),
        ("{}", "pod without a name: metadata is missing"),
        ('{"items": {}}', "items: a mapping; expected a list"),
        ('{"kind": "List", "items": "abc"}', "items: 'abc'; expected a list"),
        ('{"kind": 5}', "kind: 5; expected text"),
        ('{"kind": "List", "items": [{"kind": ["Pod"]}]}', "kind: a list; expected text"),
        ("[" * 100_000, "is nested too deep; expected about 20 levels, as objects of Kubernetes have"),
        ("- " * 100_000 + "a", "is nested too deep; expected about 20 levels, as objects of Kubernetes have"),
        ("{a: " * 100_000, "is nested too deep; expected about 20 levels, as objects of Kubernetes have"),
        ("a: !!int x", "a value is not what its YAML tag says: invalid literal for int() with base 10: 'x'"),
    ],
)
def test_what_holds_no_objects_is_said_in_one_line(tmp_path: Path, content: str, fault: str) -> None:
    assert said(files.pods, written(tmp_path, content)) == [fault]


def test_every_item_that_is_no_object_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, listed(None, pod_json("p"), "abc"))
    assert said(files.pods, file) == [
        "items[0]: null; expected a Kubernetes object",
        "items[2]: 'abc'; expected a Kubernetes object",
    ]


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_a_number_of_5000_digits_is_a_fault_of_its_pod(tmp_path: Path, write: Any) -> None:
    content = write(listed(pod_json("p", cpu="HERE")))
    digits = "9" * 5000
    (fault,) = said(files.pods, written(tmp_path, re.sub("[\"']?HERE[\"']?", digits, content)))
    assert fault.startswith("pod default/p: spec.containers[0].resources.requests.cpu: '9999")
    assert fault.endswith(
        "… (5000 letters); expected a number like 400m, 2, 1.5Gi or 4G, in at most 100 letters"
    )


def test_every_fault_of_every_pod_is_said(tmp_path: Path) -> None:
    odd = {**pod_json("odd", cpu="-1", memory="x"), "status": []}
    lines = said(files.pods, written(tmp_path, listed(pod_json("p"), odd, pod_json("other", cpu="-2"))))
    assert [line.split(": ")[:2] for line in lines] == [
        ["pod default/odd", "spec.containers[0].resources.requests.cpu"],
        ["pod default/odd", "spec.containers[0].resources.requests.memory"],
        ["pod default/odd", "status"],
        ["pod default/other", "spec.containers[0].resources.requests.cpu"],
    ]


def test_the_same_pod_twice_is_a_fault(tmp_path: Path) -> None:
    file = written(tmp_path, listed(pod_json("p"), pod_json("q"), pod_json("p"), pod_json("p")))
    assert said(files.pods, file) == ["pod default/p: stands there 3 times; expected once"]


def test_the_same_node_twice_is_a_fault(tmp_path: Path) -> None:
    file = written(tmp_path, listed(node_json("n"), node_json("n")))
    assert said(files.nodes, file) == ["node n: stands there 2 times; expected once"]


def test_items_of_a_list_of_a_kind_are_of_that_kind(tmp_path: Path) -> None:
    bare = {key: value for key, value in node_json("n").items() if key != "kind"}
    file = written(tmp_path, listed(bare, kind="NodeList"))
    assert [node.name for node in files.nodes(file)] == ["n"]
    assert files.pods(file) == ()


def test_an_object_alone_is_read_with_and_without_its_kind(tmp_path: Path) -> None:
    for raw in (pod_json("p"), {key: value for key, value in pod_json("p").items() if key != "kind"}):
        assert [pod.name for pod in files.pods(written(tmp_path, raw))] == ["p"]


def test_one_file_for_pods_and_nodes_has_each_daemon_set_once(tmp_path: Path) -> None:
    file = written(tmp_path, listed(pod_json("p"), daemon_set_json("d")))
    assert len(files.daemon_sets(file, file) or ()) == 1


def test_every_fault_of_volumes_is_said(tmp_path: Path) -> None:
    claims = [{"kind": "PersistentVolumeClaim", "metadata": {"name": n}, "spec": []} for n in "ab"]
    assert said(files.storage, written(tmp_path, listed(*claims))) == [
        "PersistentVolumeClaim a: spec: a list; expected a mapping",
        "PersistentVolumeClaim b: spec: a list; expected a mapping",
    ]


def test_a_pipe_can_be_asked_for_all_kinds_while_it_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    mkfifo(pipe)
    writer = threading.Thread(
        target=pipe.write_text, args=(json.dumps(listed(pod_json("p"), daemon_set_json("d"))),)
    )
    writer.start()
    with files.read_once():
        assert len(files.pods(pipe)) == 1
        assert len(files.daemon_sets(pipe) or ()) == 1
        assert files.storage(pipe) is None
    writer.join()


def test_outside_of_it_a_file_is_read_anew(tmp_path: Path) -> None:
    with files.read_once():
        assert files.pods(written(tmp_path, listed())) == ()
    assert len(files.pods(written(tmp_path, listed(pod_json("p"))))) == 1
