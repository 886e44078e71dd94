"""Models that run at certain hours: KEDA's objects in the place of the autoscalers, on both clouds."""

from tests.infra.both_clouds import BOTH, Run

AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
SCALED = "kubernetes:keda.sh/v1alpha1:ScaledObject"
HOURS = {"start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "timezone": "Europe/Berlin"}


@BOTH
def test_keda_brings_the_workers_to_none_outside_of_the_hours(build: Run) -> None:
    plain, stack = (
        build({"variant": "right-sized"}),
        build({"variant": "right-sized", "serving.hours": HOURS}),
    )

    assert stack.all(AUTOSCALER) == []
    assert plain.all(SCALED) == []
    assert stack.names(SCALED) == plain.names(AUTOSCALER)
    spec = stack.one(SCALED, "vgg16").inputs["spec"]
    before = plain.one(AUTOSCALER, "vgg16").inputs["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (0, before["maxReplicas"])
    assert spec["advanced"]["horizontalPodAutoscalerConfig"] == {
        "name": "vgg16",
        "behavior": before["behavior"],
    }
    cpu, cron = spec["triggers"]
    assert cpu == {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "50"}}
    assert cron == {"type": "cron", "metadata": {**HOURS, "desiredReplicas": "1"}}
