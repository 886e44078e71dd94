"""The register of faults: what holds when, and what its questions are answered."""

from emulator.cloud.fault import (
    ApiError,
    ApiServerRestart,
    Discontinue,
    LostReply,
    NeverJoin,
    Quota,
    SlowBoot,
    StaleList,
    Stockout,
)
from emulator.cloud.faults import Faults, Meeting
from emulator.cloud.past import Past

A1 = "VM.Standard.A1.Flex"


def test_a_stockout_holds_for_its_shape_and_zone_and_time() -> None:
    faults = Faults()
    oke = faults.of("oke")
    (stockout,) = [faults.inject(Stockout(A1, "AD-1", 60), None, 100)]
    assert oke.is_sold_out(A1, "AD-1", 159)
    assert not oke.is_sold_out(A1, "AD-2", 159)
    assert not oke.is_sold_out("VM.Standard.E4.Flex", "AD-1", 159)
    assert not oke.is_sold_out(A1, "AD-1", 160)
    assert stockout.struck == 1
    assert faults.holding(160) == ()


def test_a_fault_of_one_cloud_is_none_of_another() -> None:
    faults = Faults()
    faults.inject(SlowBoot(300), "gke", 0)
    assert faults.of("gke").boot_s(3, 1) == 300
    assert faults.of("oke").boot_s(3, 1) == 3


def test_without_an_end_a_fault_holds_until_it_is_cleared() -> None:
    faults = Faults()
    quota = faults.inject(Quota(A1, 4), "oke", 0)
    stale = faults.inject(StaleList(30), None, 0)
    assert [each.until for each in faults.holding(1e9)] == [None, None]
    assert faults.clear(quota.id, 10) == (quota,)
    assert faults.holding(10) == (stale,)
    assert faults.clear(None, 20) == (stale,)
    assert faults.clear("fault-9", 20) == ()
    assert quota.json_value() == {
        "id": "fault-1",
        "kind": "quota",
        "arguments": {"shape": A1, "limit": 4},
        "cloud": "oke",
        "since": 0,
        "until": 10,
        "struck": 0,
    }


def test_what_happens_at_once_is_over_at_once() -> None:
    faults = Faults()
    assert faults.inject(ApiServerRestart(), None, 5).until == 5
    assert faults.holding(5) == ()


def test_a_share_of_requests_fails_the_same_ones_each_time() -> None:
    def fates() -> list[bool]:
        faults = Faults()
        faults.inject(ApiError("container", 0.3, 60), None, 0)
        oke = faults.of("oke")
        return [oke.meeting("container", 1, changes=False).trouble is not None for _ in range(1000)]

    assert fates() == fates()
    assert 250 < sum(fates()) < 350


def test_a_rate_of_1_is_all_and_of_0_none() -> None:
    faults = Faults()
    faults.inject(ApiError("network", 1, 60), None, 0)
    faults.inject(ApiError("compute", 0, 60), None, 0)
    oke = faults.of("oke")
    troubles = [oke.meeting("network", 1, changes=False).trouble for _ in range(3)]
    assert troubles == [0, 1, 2]
    assert oke.meeting("compute", 1, changes=True) == Meeting()
    assert oke.meeting("identity", 1, changes=True) == Meeting()


def test_only_what_changes_something_loses_its_reply() -> None:
    faults = Faults()
    lost = faults.inject(LostReply(1, 60), None, 0)
    assert faults.of("gke").meeting("container", 1, changes=True) == Meeting(loses_reply=True)
    assert faults.of("gke").meeting("container", 1, changes=False) == Meeting()
    assert lost.struck == 1


def test_so_many_machines_never_join_and_then_they_do() -> None:
    faults = Faults()
    never = faults.inject(NeverJoin(2), None, 0)
    assert [faults.of("oke").joins(1) for _ in range(4)] == [False, False, True, True]
    assert (never.struck, faults.holding(1)) == (2, ())


def test_of_several_quotas_of_a_shape_the_newest_counts() -> None:
    faults = Faults()
    faults.inject(Quota(A1, 4), None, 0)
    faults.inject(Quota(A1, 8), None, 1)
    assert faults.of("oke").quotas(2) == {A1: 8}


def test_a_discontinued_shape_is_one_that_is_asked_for_in_vain() -> None:
    faults = Faults()
    gone = faults.inject(Discontinue(A1), None, 0)
    assert faults.of("oke").discontinued(1) == {A1}
    faults.of("oke").note(Discontinue, A1, 1)
    faults.of("oke").note(Discontinue, "another", 1)
    assert gone.struck == 1


def test_a_list_that_is_behind_shows_what_it_showed_then() -> None:
    past: Past[list[int]] = Past()
    growing = [1]
    shown = []
    for now in range(0, 50, 10):
        shown.append(past.as_it_was("pools", growing, 20, now))
        growing.append(len(growing) + 1)
    assert shown == [[1], [1], [1], [1, 2], [1, 2, 3]]
    assert past.as_it_was("pools", growing, 0, 60) == growing
