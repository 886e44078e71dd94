"""Quantities, addresses, log lines, tokens' lives: one table each."""

import base64
import ipaddress
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.kube import quantity, tokens
from emulator.kube.addresses import load_balancer_range, process_pod_range
from emulator.kube.loadbalancer import free_address, parse_service
from emulator.kube.podlog import PodLog, cri_line
from emulator.kube.process import Use
from emulator.kube.processes import Sample, usage

T0 = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "milli", "whole"),
    [
        ("400m", 400, 1),
        ("2", 2000, 2),
        ("0.5", 500, 1),
        ("4G", 4 * 10**12, 4 * 10**9),
        ("1Gi", 2**30 * 1000, 2**30),
    ],
)
def test_quantities_round_up(text: str, milli: int, whole: int) -> None:
    assert (quantity.milli(text), quantity.whole(text)) == (milli, whole)


@pytest.mark.parametrize("text", ["", "much", "4GB", "m"])
def test_what_is_no_quantity_is_named(text: str) -> None:
    with pytest.raises(quantity.NotAQuantity, match=repr(text)):
        quantity.parse(text)


@given(st.integers(1, 65_535), st.integers(1, 65_535))
def test_no_two_clusters_share_an_address(one: int, other: int) -> None:
    outside = [ipaddress.ip_network(text) for text in ("10.96.0.0/16", "10.244.0.0/16", "10.0.0.0/16")]
    ours = [process_pod_range(one), load_balancer_range(one)]
    theirs = [process_pod_range(other), load_balancer_range(other)]
    assert not ours[0].overlaps(ours[1])
    assert not any(mine.overlaps(net) for mine in ours for net in outside)
    if one != other:
        assert not any(mine.overlaps(net) for mine in ours for net in theirs)


def test_the_first_address_that_nobody_has() -> None:
    network = ipaddress.IPv4Network("10.128.0.32/30")
    assert free_address(network, []) == "10.128.0.33"
    assert free_address(network, ["10.128.0.33"]) == "10.128.0.34"
    assert free_address(network, ["10.128.0.33", "10.128.0.34"]) is None


@pytest.mark.parametrize(
    ("spec", "wants"),
    [
        ({"type": "LoadBalancer"}, True),
        ({"type": "LoadBalancer", "loadBalancerClass": "other"}, False),
        ({"type": "ClusterIP"}, False),
        ({}, False),
    ],
)
def test_only_load_balancers_of_the_cloud_want_an_address(spec: dict[str, str], wants: bool) -> None:
    item = {"metadata": {"namespace": "ns", "name": "s"}, "spec": spec, "status": {"loadBalancer": {}}}
    assert parse_service(item).wants_address is wants


def test_a_line_of_a_log_is_in_the_cri_format() -> None:
    assert cri_line(T0, b"hello\r\n") == b"2026-01-01T00:00:00.000000Z stdout F hello\n"


def test_a_log_that_has_grown_too_large_begins_anew_and_keeps_the_old_one(tmp_path: Path) -> None:
    with PodLog(tmp_path / "container.log", lambda: T0) as log:
        log.write(b"x" * (10 * 2**20))
        log.write(b"fresh")
    assert (tmp_path / "container.log").read_bytes().endswith(b"stdout F fresh\n")
    assert len((tmp_path / "container.log").read_bytes()) < 100
    assert (tmp_path / "container.1").stat().st_size > 10 * 2**20


def test_use_is_cpu_time_over_the_time_between_and_memory_now() -> None:
    before, now = Sample("u", 10.0, Use(1.0, 0)), Sample("u", 12.0, Use(1.5, 300 * 2**20))
    assert usage(before, now) == {"kwok.x-k8s.io/usage-cpu": "250m", "kwok.x-k8s.io/usage-memory": "300Mi"}


def test_how_long_a_token_lives() -> None:
    claims = {"iat": T0.timestamp(), "exp": (T0 + timedelta(hours=1)).timestamp()}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert tokens.life_of(f"head.{body}.signature") == 3600
