import socket
from dataclasses import astuple
from pathlib import Path

from emulator.kube import ports


def test_two_clusters_share_no_port_though_neither_listens_yet() -> None:
    first, second = ports.reserve(Path("/a")), ports.reserve(Path("/a"))
    try:
        assert set(astuple(first)).isdisjoint(astuple(second))
    finally:
        ports.release(first)
        ports.release(second)


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    wanted = ports.reserve(Path("/b"))
    ports.release(wanted)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", wanted.etcd))
        taken.listen()
        other = ports.reserve(Path("/b"))
    ports.release(other)
    assert wanted.etcd not in astuple(other)


def test_a_released_port_is_given_again() -> None:
    first = ports.reserve(Path("/c"))
    ports.release(first)
    again = ports.reserve(Path("/c"))
    ports.release(again)
    assert again == first
