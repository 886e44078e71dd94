"""Quantities read exactly what Kubernetes reads, against a second implementation by decimals."""

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.core.quantity import NotAQuantity, exact, millis, whole

SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
numbers = st.builds(
    lambda before, after, dot: f"{before}.{after}" if dot else before,
    st.integers(0, 10**9).map(str),
    st.integers(0, 10**6).map(str),
    st.booleans(),
)


@given(numbers, st.sampled_from(sorted(SUFFIXES)))
def test_a_quantity_is_its_number_times_its_suffix(number: str, suffix: str) -> None:
    with localcontext() as context:
        context.prec = 60
        value = Decimal(number) * SUFFIXES[suffix]
        assert exact(number + suffix) == value
        assert whole(number + suffix) == math.ceil(value)
        assert millis(number + suffix) == math.ceil(value * 1000)


@given(st.integers(0, 10**6), st.integers(-20, 20), st.sampled_from("eE"))
def test_an_exponent_moves_the_point(number: int, exponent: int, letter: str) -> None:
    assert exact(f"{number}{letter}{exponent}") == Decimal(number).scaleb(exponent)


@given(st.integers(0, 10**15))
def test_millicores_are_kept(millicores: int) -> None:
    assert millis(f"{millicores}m") == millicores


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4G", 4 * 10**9),
        ("1Gi", 2**30),
        ("1E", 10**18),
        ("1E3", 1000),
        (".5Ki", 512),
        ("1.", 1),
        ("+2", 2),
        (3, 3),
        (0.5, 1),
    ],
)
def test_forms_that_kubernetes_takes(text: str, value: int) -> None:
    assert whole(text) == value


@pytest.mark.parametrize(
    "text", ["", " 1", "1 G", "1g", "1KI", "ki", "1e", "--1", "0x10", "1,5", "\u0661", "1Gi\n", "nan", "1e+"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(NotAQuantity, match="is not a Kubernetes quantity"):
        exact(text)
