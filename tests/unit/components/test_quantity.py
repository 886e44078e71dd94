import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.quantity import cpu_text, memory_text
from provisioner.core.quantity import exact


@pytest.mark.parametrize(
    ("size", "text"),
    [(4_000_000_000, "4G"), (4 * 2**30, "4Gi"), (1_500_000_000, "1500M"), (1, "1"), (0, "0"), (1024, "1Ki")],
)
def test_memory_is_written_in_its_shortest_exact_form(size: int, text: str) -> None:
    assert memory_text(size) == text


@pytest.mark.parametrize(("millicores", "text"), [(400, "400m"), (2000, "2"), (1500, "1500m")])
def test_cpu_is_written_in_cores_where_it_can_be(millicores: int, text: str) -> None:
    assert cpu_text(millicores) == text


@given(st.integers(0, 2**62))
def test_what_is_written_reads_as_the_same(number: int) -> None:
    assert exact(memory_text(number)) == number
    assert exact(cpu_text(number)) * 1000 == number
