from typing import Any

import pytest

from emulator.kube.environment import (
    CONFIG_MAP,
    SECRET,
    Source,
    Unresolved,
    arguments,
    expand,
    resolve,
    sources,
)

POD: dict[str, Any] = {
    "metadata": {
        "name": "p",
        "namespace": "ns",
        "uid": "u",
        "labels": {"a.b/c": "label"},
        "annotations": {"k": "note"},
    },
    "spec": {"nodeName": "n", "serviceAccountName": "sa"},
    "status": {"podIP": "10.1.1.1", "podIPs": [{"ip": "10.1.1.1"}], "hostIP": "10.0.0.1"},
}
SETTINGS = Source(CONFIG_MAP, "settings")
HIDDEN = Source(SECRET, "hidden")
CONTENTS = {
    SETTINGS: {"A": "1", "B": "2", "not a name": "3"},
    HIDDEN: {"B": "secret"},
    Source(SECRET, "gone"): None,
}


def from_key(kind: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"valueFrom": {f"{kind}KeyRef": {"name": name, "key": key, **more}}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "ns"),
        ("metadata.uid", "u"),
        ("metadata.labels['a.b/c']", "label"),
        ("metadata.annotations['k']", "note"),
        ("metadata.annotations['absent']", ""),
        ("spec.nodeName", "n"),
        ("spec.serviceAccountName", "sa"),
        ("status.podIP", "10.1.1.1"),
        ("status.podIPs", "10.1.1.1"),
        ("status.hostIP", "10.0.0.1"),
    ],
)
def test_a_field_of_the_pod(path: str, value: str) -> None:
    container = {"env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}]}
    assert resolve(container, POD, {}) == {"X": value}


def test_later_sources_win_and_env_wins_over_env_from() -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "hidden"}}],
        "env": [{"name": "A", "value": "own"}],
    }
    assert resolve(container, POD, CONTENTS) == {"A": "own", "B": "secret"}


def test_a_prefix_is_put_before_every_name() -> None:
    container = {"envFrom": [{"prefix": "S_", "configMapRef": {"name": "settings"}}]}
    assert resolve(container, POD, CONTENTS) == {"S_A": "1", "S_B": "2"}


def test_references_see_what_was_defined_before_but_not_inside_of_read_values() -> None:
    contents = {SETTINGS: {"RAW": "$(A)"}}
    container = {
        "env": [
            {"name": "A", "value": "1"},
            {"name": "SUM", "value": "$(A)+$(LATER)"},
            {"name": "LATER", "value": "2"},
            {"name": "RAW", **from_key("configMap", "settings", "RAW")},
        ]
    }
    assert resolve(container, POD, contents) == {"A": "1", "SUM": "1+$(LATER)", "LATER": "2", "RAW": "$(A)"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$(A)", "1"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$A", "$A"), ("$(NO)", "$(NO)"), ("$(A", "$(A")],
)
def test_expansion(text: str, expected: str) -> None:
    assert expand(text, {"A": "1"}) == expected


def test_arguments_are_expanded() -> None:
    assert arguments({"args": ["run", "--name=$(A)"]}, {"A": "1"}) == ("run", "--name=1")
    assert arguments({}, {}) == ()


def test_every_reference_that_leads_nowhere_is_named() -> None:
    container = {
        "envFrom": [{"secretRef": {"name": "gone"}}],
        "env": [
            {"name": "X", **from_key("configMap", "settings", "absent")},
            {"name": "Y", "valueFrom": {"fieldRef": {"fieldPath": "spec.colour"}}},
        ],
    }
    with pytest.raises(Unresolved) as caught:
        resolve(container, POD, CONTENTS)
    message = str(caught.value)
    assert "secret 'gone' not found" in message
    assert "configmap 'settings' has no key 'absent'" in message
    assert "'spec.colour'" in message


def test_what_is_optional_may_be_missing() -> None:
    container = {
        "envFrom": [{"secretRef": {"name": "gone", "optional": True}}],
        "env": [{"name": "X", **from_key("configMap", "settings", "absent", optional=True)}],
    }
    assert resolve(container, POD, CONTENTS) == {}


def test_all_sources_are_known_before_they_are_read() -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "env": [{"name": "X", **from_key("secret", "hidden", "B")}, {"name": "Y", "value": "plain"}],
    }
    assert sources(container) == (SETTINGS, HIDDEN)
