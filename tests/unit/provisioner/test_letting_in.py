"""What the API server is asked to change, so that pods are let in to a node and others are not."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from provisioner.core import parse
from provisioner.core.model import Taint, Toleration
from provisioner.core.opening import STARTING, own_taint, ticket
from provisioner.kube import Kube, KubeDenied, KubeUnavailable
from tests.support.provision import node, pod

NODE = node("n", uid="u-n", taints=(Taint("other", "", "NoSchedule"), STARTING))
STILL_SHUT = {"op": "test", "path": "/spec/taints/1/key", "value": "rightsize.io/starting"}


def asked(act: Callable[[Kube], None]) -> list[Any]:
    found: list[Any] = []
    server = SimpleNamespace(
        patch_node=lambda name, body, **_: found.append((name, body)),
        patch_namespaced_pod=lambda name, _namespace, body, **_: found.append((name, body)),
    )
    act(Kube(server))
    return found


def test_a_node_gets_a_taint_of_its_own() -> None:
    own = {"op": "replace", "path": "/spec/taints/1/value", "value": "u-n"}
    assert asked(lambda kube: kube.claim(NODE)) == [("n", [STILL_SHUT, own])]


def test_it_gets_it_once() -> None:
    assert asked(lambda kube: kube.claim(replace(NODE, taints=(own_taint(NODE),)))) == []


def test_it_is_opened_by_taking_that_taint_and_no_other() -> None:
    gone = {"op": "remove", "path": "/spec/taints/1"}
    assert asked(lambda kube: kube.open(NODE)) == [("n", [STILL_SHUT, gone])]
    assert asked(lambda kube: kube.open(replace(NODE, taints=()))) == []


@pytest.mark.parametrize("there", [(), (Toleration("a", "Exists"),)], ids=["none yet", "others"])
def test_a_pod_is_let_in_by_a_toleration_more(there: tuple[Toleration, ...]) -> None:
    asks = pod("p", uid="u1", tolerations=there)
    ((name, (same, added)),) = asked(lambda kube: kube.let_in(asks, NODE))
    assert (name, same["value"], added["op"]) == ("p", "u1", "add")
    own = {"key": STARTING.key, "operator": "Equal", "value": "u-n", "effect": "NoSchedule"}
    assert (added["path"], added["value"]) == (
        ("/spec/tolerations/-", own) if there else ("/spec/tolerations", [own])
    )


def refusing(status: int) -> Kube:
    """A server that refuses every change."""

    def refuse(*_: Any, **__: Any) -> None:
        raise ApiException(status=status, reason="no")

    return Kube(SimpleNamespace(patch_node=refuse, patch_namespaced_pod=refuse))


def test_a_node_whose_taints_have_changed_meanwhile_is_for_the_next_round() -> None:
    for act in (Kube.claim, Kube.open):
        with pytest.raises(KubeUnavailable):
            act(refusing(422), NODE)


@pytest.mark.parametrize("status", [409, 422])
def test_another_pod_of_that_name_is_let_be(status: int) -> None:
    refusing(status).let_in(pod("p"), NODE)


def test_a_right_that_is_missing_is_said() -> None:
    with pytest.raises(KubeDenied):
        refusing(403).let_in(pod("p"), NODE)
    with pytest.raises(KubeDenied):
        refusing(403).open(NODE)


def test_nodes_are_told_apart_by_their_uid() -> None:
    assert parse.node({"metadata": {"name": "n", "uid": "u1"}}).uid == "u1"


def test_a_replacement_was_let_in_nowhere_yet() -> None:
    other = Toleration("a", "Exists")
    moved = pod("p", tolerations=(other, ticket(NODE)), node_name="n", phase="Running").off_its_node()
    assert (moved.tolerations, moved.node_name) == ((other,), "")
