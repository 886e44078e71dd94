import pytest

from emulator.kube.autoscaler_settings import AutoscalerSettingsInvalid, parse
from emulator.kube.spec import PoolLimits

POOL = "ocid1.nodepool.oc1.iad.a"


def test_what_is_not_said_is_as_oracle_documents_it() -> None:
    settings = parse({"nodes": f"0:4:{POOL}"})
    assert settings.nodes == (PoolLimits(POOL, 0, 4),)
    assert settings.scan_interval_s == 10
    assert settings.scale_down_unneeded_s == 600
    assert settings.scale_down_delay_after_add_s == 600
    assert settings.scale_down_utilization_threshold == 0.5
    assert settings.max_node_provision_s == 900


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10m", 600), ("8s", 8), ("1h30m", 5400), ("1m0s", 60), ("1.5s", 1.5), ("500ms", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse({"nodes": "0:1:a", "scaleDownUnneededTime": text}).scale_down_unneeded_s == seconds


def test_several_pools() -> None:
    assert parse({"nodes": "0:4:a, 1:2:b"}).nodes == (PoolLimits("a", 0, 4), PoolLimits("b", 1, 2))


def test_keys_that_change_nothing_here_are_kept() -> None:
    assert parse({"nodes": "0:1:a", "authType": "workload"}).ignored == {"authType": "workload"}


def test_all_faults_are_told_at_once_with_key_value_and_expectation() -> None:
    with pytest.raises(AutoscalerSettingsInvalid) as caught:
        parse(
            {
                "nodes": "4:1:a",
                "scanInterval": "soon",
                "scaleDownEnabled": "perhaps",
                "scaleDownUtilizationThreshold": "2",
                "maxNodesTotal": "-1",
                "scaleDownUnneededTimes": "10m",
            }
        )
    assert caught.value.faults == (
        "nodes: '4:1:a' has '4:1:a'; expected min:max:<node pool OCID>",
        "scanInterval: 'soon' is not a duration such as 10m, 8s or 1h30m",
        "scaleDownEnabled: 'perhaps' is not true or false",
        "scaleDownUtilizationThreshold: '2' is not a number from 0 to 1",
        "maxNodesTotal: '-1' is not a whole number",
        "scaleDownUnneededTimes: not a key of the ClusterAutoscaler add-on",
    )


def test_the_pools_are_required() -> None:
    with pytest.raises(AutoscalerSettingsInvalid, match="nodes: missing"):
        parse({})
