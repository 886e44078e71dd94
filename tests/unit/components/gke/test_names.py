import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.gke.names import LONGEST_ACCOUNT, LONGEST_CLUSTER, google_name, label_value, role_id


@pytest.mark.parametrize(
    ("stack", "suffix", "name"),
    [
        ("gke", "", "gke"),
        ("gke-right-sized", "nodes", "gke-right-sized-nodes"),
        ("gke", "provisioner", "gke-provisioner"),
    ],
)
def test_a_plain_name_stays_as_it_is(stack: str, suffix: str, name: str) -> None:
    assert google_name(stack, suffix, LONGEST_ACCOUNT) == name


@pytest.mark.parametrize("stack", ["Team.GPU", "1st", "_", "a" * 80, "gke-", "x_y"])
def test_any_other_name_is_told_apart_by_a_hash(stack: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]*-[0-9a-f]{6}-nodes", google_name(stack, "nodes"))


@given(st.text(min_size=1, max_size=100))
def test_every_name_is_one_that_google_takes(stack: str) -> None:
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", google_name(stack, longest=LONGEST_CLUSTER))
    assert re.fullmatch(r"[a-zA-Z0-9_.]{3,64}", role_id(stack))
    assert re.fullmatch(r"[a-z0-9_-]{0,63}", label_value(stack))


@given(st.text(min_size=1, max_size=100), st.sampled_from(["nodes", "provisioner"]))
def test_every_account_is_one_that_google_takes(stack: str, suffix: str) -> None:
    name = google_name(stack, suffix, LONGEST_ACCOUNT)
    assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", name)


@given(st.text("aA.-_1", min_size=1, max_size=50), st.text("aA.-_1", min_size=1, max_size=50))
def test_two_stacks_have_two_names(first: str, second: str) -> None:
    same = google_name(first, "nodes", LONGEST_ACCOUNT) == google_name(second, "nodes", LONGEST_ACCOUNT)
    assert same == (first == second)
