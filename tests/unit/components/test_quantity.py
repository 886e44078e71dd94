import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.quantity import cpu_text, memory_text, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("400m", "0.4"),
        ("4G", "4000000000"),
        ("4Gi", "4294967296"),
        (".5", "0.5"),
        ("1.", "1"),
        ("1e3", "1000"),
        ("2E2", "200"),
        ("1E", "1000000000000000000"),
        ("100n", "0.0000001"),
        ("0", "0"),
    ],
)
def test_quantities_have_the_value_that_kubernetes_gives_them(text: str, value: str) -> None:
    assert parse(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "m", "-1", "4 G", "4g", "4GB", "1e", "0x10", "1,5", "nan", "10E", "inf"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(4_000_000_000, "4G"), (4 * 2**30, "4Gi"), (1_500_000_000, "1500M"), (1, "1"), (0, "0"), (1024, "1Ki")],
)
def test_memory_is_written_in_its_shortest_exact_form(size: int, text: str) -> None:
    assert memory_text(size) == text


@given(st.integers(0, 2**62))
def test_what_is_written_reads_as_the_same(number: int) -> None:
    assert parse(memory_text(number)) == number
    assert parse(cpu_text(number)) * 1000 == number
