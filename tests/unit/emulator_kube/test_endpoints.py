import ipaddress
from collections import Counter
from typing import Any

from emulator.kube.addresses import balancer_range, load_balancer_range, process_pod_range
from emulator.kube.endpoints import Endpoint, Turns, behind, parse_slice

PROCESSES = ipaddress.IPv4Network("10.130.0.0/27")
ONE, TWO, THREE = (Endpoint(f"127.130.0.{host}", 8080) for host in (1, 2, 3))


def endpoint_slice(*endpoints: dict[str, Any], service: str = "vgg16") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "inference", "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": list(endpoints),
    }


def one(address: str, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [address], "conditions": conditions}


def ready(*endpoints: dict[str, Any]) -> frozenset[Endpoint]:
    return behind([parse_slice(endpoint_slice(*endpoints))], "inference/vgg16", "http", PROCESSES)


def test_only_what_is_ready_and_stays_takes_requests_at_its_loopback_address() -> None:
    assert ready(
        one("10.130.0.1", ready=True),
        one("10.130.0.2", ready=False),
        one("10.130.0.3", ready=True, terminating=True),
    ) == {ONE}


def test_an_unknown_readiness_counts_as_ready() -> None:
    assert ready(one("10.130.0.1")) == {ONE}


def test_nothing_but_processes_of_this_cluster_is_ever_called() -> None:
    assert ready(one("10.244.0.9", ready=True), one("10.130.0.77", ready=True)) == frozenset()


def test_services_and_ports_are_kept_apart() -> None:
    slices = [parse_slice(endpoint_slice(one("10.130.0.1", ready=True), service="other"))]

    assert behind(slices, "inference/vgg16", "http", PROCESSES) == frozenset()
    assert behind(slices, "inference/other", "metrics", PROCESSES) == frozenset()
    assert behind(slices, "inference/other", "http", PROCESSES) == {ONE}


def test_processes_and_balancers_of_clusters_never_share_an_address() -> None:
    networks = [process_pod_range(24100), load_balancer_range(24100), process_pod_range(24101)]

    assert not any(a.overlaps(b) for i, a in enumerate(networks) for b in networks[i + 1 :])
    assert balancer_range(24100).is_loopback


def test_requests_one_after_another_go_round() -> None:
    turns = Turns()
    turns.replace(frozenset({ONE, TWO, THREE}))
    chosen = []
    for _ in range(9):
        best = turns.candidates()[0]
        chosen.append(best)
        with turns.taken(best):
            pass

    assert Counter(chosen) == {ONE: 3, TWO: 3, THREE: 3}
    assert len(set(chosen[:3])) == 3


def test_who_is_busy_is_asked_last() -> None:
    turns = Turns()
    turns.replace(frozenset({ONE, TWO}))

    with turns.taken(ONE), turns.taken(ONE), turns.taken(TWO):
        assert turns.candidates() == [TWO, ONE]


def test_what_has_gone_gets_no_request_while_its_last_one_ends() -> None:
    turns = Turns()
    turns.replace(frozenset({ONE, TWO}))

    with turns.taken(ONE):
        turns.replace(frozenset({TWO}))
        assert turns.candidates() == [TWO]
    turns.replace(frozenset({ONE, TWO}))
    assert set(turns.candidates()) == {ONE, TWO}
