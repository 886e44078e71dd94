"""The knapsack's limit holds against brute force, and what it finds fits."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.core.optimal import knapsack
from provisioner.core.optimal.knapsack import Sack, most_worth

AMOUNTS = 3


@st.composite
def sacks(draw: st.DrawFn) -> Sack:
    """A few groups of a few pods; amounts with and without a price; rooms without some amount."""
    groups = draw(st.integers(1, 5))
    amount, price = st.integers(0, 9), st.one_of(st.just(0.0), st.floats(0.01, 2))
    room = np.array(draw(st.lists(st.integers(0, 20), min_size=AMOUNTS, max_size=AMOUNTS)), dtype=float)
    need = np.array([[draw(amount) for _ in range(AMOUNTS)] for _ in range(groups)], dtype=float)
    worth = np.array([draw(price) for _ in range(groups)])
    asked = np.array([draw(st.integers(0, 4)) for _ in range(groups)], dtype=float)
    fits = np.where(need > 0, np.floor(room / np.maximum(need, 1)), np.inf).min(axis=1)
    rates = np.array([draw(st.one_of(st.just(0.0), st.floats(0, 0.5))) for _ in range(AMOUNTS)])
    return Sack(room, need, worth, np.minimum(asked, fits), rates)


def best(sack: Sack) -> float:
    """Every load tried."""
    numbers = product(*(range(int(cap) + 1) for cap in sack.caps.tolist()))
    loads = [np.array(each) for each in numbers]
    return max(float(each @ sack.worth) for each in loads if (each @ sack.need <= sack.room).all())


@pytest.mark.parametrize("starts", [1, 4, 3000])
@given(sack=sacks(), part=st.floats(0, 1.2))
@settings(max_examples=250, deadline=None)
def test_the_limit_is_never_below_the_best_load_and_loads_fit(starts: int, sack: Sack, part: float) -> None:
    most = best(sack)
    enough = part * most
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knapsack, "_MOST_STARTS", starts)
        limit, loads = most_worth(sack, enough)

    assert limit >= max(most, enough) * (1 - 1e-9) - 1e-12
    for load in loads:
        assert (load >= 0).all()
        assert (load <= sack.caps).all()
        assert (load @ sack.need <= sack.room).all()


@given(sack=sacks())
@settings(max_examples=250, deadline=None)
def test_where_every_start_is_followed_the_best_load_is_found(sack: Sack) -> None:
    most = best(sack)
    limit, loads = most_worth(sack, most * 0.9)

    assert limit == pytest.approx(most)
    assert not most or max(float(load @ sack.worth) for load in loads) == pytest.approx(most)


@given(sack=sacks())
@settings(max_examples=100, deadline=None)
def test_where_nothing_is_worth_more_than_enough_there_are_no_loads(sack: Sack) -> None:
    enough = best(sack) + 0.1

    assert most_worth(sack, enough) == (enough, [])
