"""Faults of a cloud, and a provisioner that lives with them: every worker served, every machine accounted for."""

import json
from typing import Any

from tests.support.cloud import eventually
from tests.support.right_sized import GKE, OKE, Stack

MODEL = "squeezenet1_1"
OTHER = "vgg16"
SOLD_OUT = {OKE: "Out of host capacity", GKE: "does not have enough resources available"}
"""What each cloud says."""
ASKED = {OKE: ("container",), GKE: ("container", "compute")}
"""The services that a driver asks in each round."""


def fault(stack: Stack, *words: str) -> Any:
    """Run the command, which has to succeed, and return what it prints."""
    answer = stack.cloud.emulator("fault", *words, "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def order(stack: Stack, workers: int, model: str = MODEL) -> None:
    """Have that many workers of a model."""
    patch = json.dumps({"spec": {"minReplicas": workers}})
    for each in stack.cloud.items(stack.case.stack, "hpa", "-n", "inference"):
        if model in each["metadata"]["labels"].values():
            words = ("-n", "inference", "--type=merge", "-p", patch)
            stack.cloud.kubectl(stack.case.stack, "patch", "hpa", each["metadata"]["name"], *words)


def nodes(stack: Stack) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in stack.cloud.items(stack.case.stack, "nodes")}


def ready(node: Any) -> str:
    return next(each["status"] for each in node["status"]["conditions"] if each["type"] == "Ready")


def node_of_a_worker(stack: Stack) -> str:
    pods = stack.cloud.items(stack.case.stack, "pods", "-n", "inference")
    return next(
        str(each["spec"]["nodeName"])
        for each in pods
        if each["metadata"]["labels"].get("rightsize.io/model") == MODEL
    )


def is_whole(stack: Stack, workers: int, model: str = MODEL) -> bool:
    """Whether the workers are ready, no pod waits, and each machine that costs money is a ready node."""
    if stack.workers()[model] != workers:
        return False
    found = nodes(stack)
    machines = {each["id"] for each in stack.cloud.instances()}
    pods = stack.cloud.items(stack.case.stack, "pods", "-A")
    return (
        not any(each["status"]["phase"] == "Pending" for each in pods)
        and {each["spec"]["providerID"] for each in found.values()} == machines
        and all(ready(each) == "True" for each in found.values())
        and len(stack.provisioners()) == 1
    )


def becomes_whole(stack: Stack, workers: int, model: str = MODEL) -> None:
    eventually(
        lambda: is_whole(stack, workers, model), f"{workers} workers, a node for each machine", within_s=120
    )


def answers(stack: Stack) -> bool:
    return stack.cloud.run("kubectl", "--context", stack.case.stack, "get", "nodes").returncode == 0


class Adversity:
    """What is tried on every cloud, in this order; a file for each, so that they can run side by side."""

    def test_what_is_sold_out_is_bought_as_something_else_and_the_log_says_so(self, stack: Stack) -> None:
        shape = stack.case.machines[1][0]
        before = stack.bought()
        fault(stack, "stockout", shape, "--for", "600")
        order(stack, 2)
        becomes_whole(stack, 2)
        assert shape not in {bought for bought, _, _ in stack.bought() - before}
        log = stack.cloud.kubectl(
            stack.case.stack, "logs", "-n", "rightsize-system", "deployment/provisioner"
        )
        assert SOLD_OUT[stack.case] in log
        (stockout,) = fault(stack, "clear")["faults"]
        assert stockout["struck"] >= 1

    def test_orders_whose_replies_are_lost_are_not_made_twice(self, stack: Stack) -> None:
        fault(stack, "lost-reply", "1", "--for", "600")
        order(stack, 3)
        becomes_whole(stack, 3)
        (lost,) = fault(stack, "clear")["faults"]
        assert lost["struck"] >= 1
        assert len(nodes(stack)) == 2 + 1 + 3

    def test_workers_come_although_every_third_request_fails(self, stack: Stack) -> None:
        faults = [fault(stack, "api-error", service, "0.3", "--for", "600") for service in ASKED[stack.case]]
        order(stack, 3, OTHER)
        becomes_whole(stack, 3, OTHER)
        ended = fault(stack, "clear")["faults"]
        assert len(ended) == len(faults)
        assert all(each["struck"] >= 1 for each in ended)
        assert len(nodes(stack)) == 2 + 3 + 3

    def test_a_worker_whose_machine_vanishes_is_served_again(self, stack: Stack) -> None:
        gone = node_of_a_worker(stack)
        machine = nodes(stack)[gone]["spec"]["providerID"]
        fault(stack, "vanish", gone)
        assert machine not in {each["id"] for each in stack.cloud.instances()}
        becomes_whole(stack, 3)

    def test_a_node_that_is_silent_for_a_while_is_kept(self, stack: Stack) -> None:
        quiet = node_of_a_worker(stack)
        silence = fault(stack, "not-ready", quiet, "--for", "600")
        eventually(lambda: ready(nodes(stack)[quiet]) == "Unknown", f"{quiet} is Unknown", within_s=30)
        assert [each["id"] for each in fault(stack, "list")["faults"]] == [silence["id"]]
        fault(stack, "clear", silence["id"])
        becomes_whole(stack, 3)
        assert quiet in nodes(stack)

    def test_the_provisioner_goes_on_after_the_api_server_was_away(self, stack: Stack) -> None:
        fault(stack, "apiserver-restart")
        eventually(lambda: answers(stack), "the API server answers", within_s=60)
        order(stack, 4)
        becomes_whole(stack, 4)

    def test_destroy_leaves_nothing_on_the_bill(self, stack: Stack) -> None:
        destroy = stack.cloud.pulumi("destroy", "--stack", stack.case.stack, "--yes", "--skip-preview")
        assert destroy.returncode == 0, destroy.stdout + destroy.stderr
        eventually(lambda: stack.cloud.instances() == [], "no running instance on the bill", within_s=60)
