"""The tables between Pulumi's words and Google's: both sides exist, and what goes there comes back."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud import compute_v1, container_v1
from hypothesis import given
from hypothesis import strategies as st

from emulator.plugins.gcp import rows
from emulator.plugins.gcp.container_rows import CLUSTER, CLUSTER_SHOWN, NODE_POOL
from emulator.plugins.gcp.plugin import HANDLERS
from emulator.plugins.gcp.rows import Rows
from tests.support import sdk_types

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ROUTER = "gcp:compute/router:Router"
NAT = "gcp:compute/routerNat:RouterNat"
CLUSTER_TOKEN = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
TABLES: list[tuple[str, Any, Rows]] = [
    (CLUSTER_TOKEN, container_v1.Cluster, {**CLUSTER, **CLUSTER_SHOWN}),
    (POOL, container_v1.NodePool, NODE_POOL),
    (NETWORK, compute_v1.Network, HANDLERS[NETWORK].rows),
    (SUBNETWORK, compute_v1.Subnetwork, HANDLERS[SUBNETWORK].rows),
    (ROUTER, compute_v1.Router, HANDLERS[ROUTER].rows),
    (NAT, compute_v1.RouterNat, HANDLERS[NAT].rows),
]
_SCALARS = st.one_of(st.booleans(), st.integers(1, 9), st.text(min_size=1, max_size=3))


@pytest.mark.parametrize(("token", "_message", "table"), TABLES, ids=lambda one: str(one)[:40])
def test_every_row_begins_at_a_property_of_the_sdk(token: str, _message: Any, table: Rows) -> None:
    known = {**sdk_types.output_properties(token), **sdk_types.input_properties(token)}
    assert [path for path in table if not _has_property(known, _steps(path))] == []


@pytest.mark.parametrize(("_token", "message", "table"), TABLES, ids=lambda one: str(one)[:40])
def test_every_row_ends_at_a_field_of_the_api(_token: str, message: Any, table: Rows) -> None:
    descriptor = message.pb(message()).DESCRIPTOR
    assert [path for path in table.values() if not _has_field(descriptor, _steps(path))] == []


@pytest.mark.parametrize("token", HANDLERS)
def test_every_input_that_is_taken_is_one_of_the_sdk(token: str) -> None:
    handler, known = HANDLERS[token], sdk_types.input_properties(token)
    made_here = {"effectiveLabels"}
    assert {
        path.split(".")[0].removesuffix("[]") for path in (*handler.rows, *handler.own)
    } - made_here <= set(known)


@pytest.mark.parametrize("token", HANDLERS)
def test_what_replaces_a_resource_is_an_input_that_is_taken(token: str) -> None:
    handler = HANDLERS[token]
    taken = {path.split(".")[0].removesuffix("[]") for path in (*handler.rows, *handler.own)}
    assert {path.split(".")[0] for path in handler.replaced_by} <= taken | {"name", "project"}


@given(data=st.data())
def test_what_is_told_the_api_comes_back(data: st.DataObject) -> None:
    table = {"a": "x.a", "b.c": "x.c", "b.d": "y", "e[].f": "z[].g.h", "e[].i": "z[].j", "k": "k"}
    said = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "a": _SCALARS,
                "b": st.fixed_dictionaries({"c": _SCALARS}, optional={"d": _SCALARS}),
                "e": st.lists(st.fixed_dictionaries({"f": _SCALARS, "i": _SCALARS}), min_size=1, max_size=3),
                "k": st.dictionaries(st.text(max_size=2), _SCALARS, max_size=2),
            },
        )
    )
    assert rows.to_pulumi(rows.to_api(said, table), table) == said
    assert list(rows.unknown(said, tuple(table))) == []


@given(said=st.dictionaries(st.sampled_from("abc"), st.one_of(_SCALARS, st.lists(_SCALARS)), max_size=3))
def test_what_is_in_no_row_is_named(said: dict[str, Any]) -> None:
    assert set(rows.unknown(said, ("a", "b"))) == set(said) & {"c"}


def test_numbers_that_the_api_writes_as_text_are_numbers_again() -> None:
    table = {"guestAccelerators[].count": "accelerators[].acceleratorCount"}
    assert rows.to_pulumi({"accelerators": [{"acceleratorCount": "4"}]}, table) == {
        "guestAccelerators": [{"count": 4}]
    }


def test_an_empty_value_that_the_api_leaves_out_is_put_in_again() -> None:
    said = {"a": True, "b": {"c": 3, "d": ["x"]}, "own": True}
    table = {"a": "a", "b.c": "b.c", "b.d": "b.d"}
    assert rows.completed(said, {"b": {"c": 5}}, table) == {"a": False, "b": {"c": 5, "d": []}}


def _steps(path: str) -> list[str]:
    return path.replace("[]", "").split(".")


def _has_property(known: Any, steps: list[str]) -> bool:
    for step in steps:
        if known is None or step not in known:
            return False
        known = next((found for found in _shapes(known[step])), None)
    return True


def _shapes(expected: Any) -> Iterator[Any]:
    """The properties of a nested type, or of the elements of a list of them."""
    if shape := sdk_types.members(expected):
        yield shape
        return
    try:
        element = sdk_types.element(expected)
    except StopIteration:
        return
    if shape := sdk_types.members(element):
        yield shape


def _has_field(descriptor: Any, steps: list[str]) -> bool:
    for step in steps:
        if descriptor is None:
            return False
        names = {field.json_name: field for field in descriptor.fields}
        if step not in names:
            return False
        descriptor = names[step].message_type
    return True
