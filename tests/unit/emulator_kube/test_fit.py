import pytest

from emulator.kube.fit import Room, meets, place
from emulator.kube.objects import Placement, Requirement, Toleration
from emulator.kube.spec import Taint
from tests.support.kube_objects import placement, pod, resources

INFERENCE = Taint("role", "inference", "NoSchedule")
TOLERATES = Toleration("role", "Equal", "inference", "NoSchedule")
APART = ((Requirement("app", "In", ("a",)),),)


def room(**overrides: object) -> Room:
    values: dict[str, object] = {
        "name": "room",
        "labels": {"zone": "one", "cpus": "8"},
        "taints": (),
        "free": resources(1000, 4, pods=10),
        "neighbours": (),
    }
    return Room(**{**values, **overrides})  # type: ignore[arg-type]  # a builder with overrides


@pytest.mark.parametrize(
    ("wish", "there", "takes"),
    [
        (placement(), {}, True),
        (placement(selector={"zone": "one"}), {}, True),
        (placement(selector={"zone": "two"}), {}, False),
        (placement(), {"taints": (INFERENCE,)}, False),
        (placement(tolerations=(TOLERATES,)), {"taints": (INFERENCE,)}, True),
        (placement(tolerations=(Toleration("", "Exists", "", ""),)), {"taints": (INFERENCE,)}, True),
        (placement(tolerations=(Toleration("role", "Exists", "", ""),)), {"taints": (INFERENCE,)}, True),
        (placement(tolerations=(Toleration("role", "Equal", "x", ""),)), {"taints": (INFERENCE,)}, False),
        (
            placement(tolerations=(Toleration("role", "Exists", "", "NoExecute"),)),
            {"taints": (INFERENCE,)},
            False,
        ),
        (placement(), {"taints": (Taint("soft", "", "PreferNoSchedule"),)}, True),
        (
            placement(terms=((Requirement("zone", "In", ("two",)),), (Requirement("cpus", "Exists", ()),))),
            {},
            True,
        ),
        (placement(terms=((Requirement("zone", "In", ("two",)),),)), {}, False),
        (placement(apart_from=APART), {"neighbours": ({"app": "a"},)}, False),
        (placement(apart_from=APART), {"neighbours": ({"app": "b"},)}, True),
    ],
)
def test_the_schedulers_rules(wish: Placement, there: dict[str, object], takes: bool) -> None:
    assert room(**there).takes(pod(placement=wish)) is takes


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("In", ("8",), True),
        ("NotIn", ("8",), False),
        ("Exists", (), True),
        ("DoesNotExist", (), False),
        ("Gt", ("4",), True),
        ("Gt", ("8",), False),
        ("Lt", ("9",), True),
    ],
)
def test_operators_on_a_label_that_is_there(operator: str, values: tuple[str, ...], expected: bool) -> None:
    assert meets(Requirement("cpus", operator, values), {"cpus": "8"}) is expected


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("In", ("8",), False),
        ("NotIn", ("8",), True),
        ("Exists", (), False),
        ("DoesNotExist", (), True),
        ("Gt", ("1",), False),
    ],
)
def test_operators_on_a_label_that_is_not(operator: str, values: tuple[str, ...], expected: bool) -> None:
    assert meets(Requirement("cpus", operator, values), {}) is expected


def test_every_resource_has_to_fit() -> None:
    assert room().takes(pod(requests=resources(1000, 4)))
    assert not room().takes(pod(requests=resources(1001, 4)))
    assert not room().takes(pod(requests=resources(1000, 5)))
    assert not room().takes(pod(requests=resources(1, 1, gpus=1)))
    assert not room(free=resources(1000, 4, pods=0)).takes(pod())


def test_placing_uses_room_up_and_tells_who_found_none() -> None:
    pods = [pod(name, requests=resources(600)) for name in ("a", "b", "c")]
    after, left = place(pods, {"one": room(), "two": room()})
    assert [after[name].free.cpu_millicores for name in ("one", "two")] == [400, 400]
    assert [each.name for each in left] == ["a"]
