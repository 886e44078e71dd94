"""What is found at preview, before anything is declared: a user's mistakes and a project's limits."""

from typing import Any

import grpc
import pulumi
import pytest

from stacks.gke_survey import Question, Quota, SurveyFailed, Zone
from tests.support.google_project import Project, zone
from tests.support.mocks import Cloud
from tests.support.settings import PROJECT
from tests.support.stacks import run_gke

POOL = "gcp:container/nodePool:NodePool"
NOTHING = Quota(limit=0, usage=0)
RIGHT_SIZED = {
    "variant": "right-sized",
    "provisioner.mode": "bin-select",
    "provisioner.families": ["t2a"],
}


def faults_of(changes: dict[str, Any], project: Project | None = None) -> list[str]:
    """Lines of the refusal; nothing may have been declared."""
    cloud = Cloud()
    with pytest.raises(pulumi.RunError) as caught:
        run_gke(changes, cloud=cloud, project=project)
    assert not cloud.declared
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"region": "us-east1"},
            (
                "management.shape: 't2a-standard-2' is not in catalog/gke.csv for us-east1; build where it is "
                "(asia-southeast1-b, "
            ),
        ),
        (
            {"region": "europe-west4"},
            (
                "gpu.shape: 'n1-standard-2+t4x1' is not in catalog/gke.csv for europe-west4; build where it is "
                "(us-central1-a, us-central1-b, us-central1-c, us-central1-f), or add it with its price if"
            ),
        ),
        (
            {"zones": ["us-central1-c"]},
            (
                "management.shape: 't2a-standard-2' is not in catalog/gke.csv for us-central1-c; build where it is "
                "(asia-southeast1-b, asia-southeast1-c, europe-west4-a, europe-west4-b, europe-west4-c, "
                "us-central1-a, us-central1-b, us-central1-f), take another shape (c4a-highcpu-1, "
            ),
        ),
        ({"project": "My Project"}, "project: 'My Project' must be the id of the project to build in: "),
        ({"gpu.shape": "n1-standard-2+t4"}, "gpu.shape: 'n1-standard-2+t4' is not in catalog/gke.csv; did"),
        ({"gpu.shape": "t2a-standard-2"}, "gpu.shape: 't2a-standard-2' has no GPU; with one: "),
        ({"zones": ["us-central1-d"]}, "management.shape: 't2a-standard-2' is not in catalog/gke.csv for us"),
        ({"budget.pricePerHour": 5}, "budget.pricePerHour: '5' must be at least 6.8289925"),
        (
            {"provisioner.families": ["t2"]},
            "provisioner.families[0]: 't2' is not a family of the catalog; did you mean 't2a'?",
        ),
        (
            {"accounting": "nominal", "models.vgg16.gpu.memory": "9G"},
            "models.vgg16.gpu.memory: '9G' must be at most ",
        ),
    ],
)
def test_what_settings_and_catalog_tell(changes: dict[str, Any], line: str) -> None:
    assert [found for found in faults_of(changes) if found.startswith(line)]


def test_another_region_of_the_provider_is_refused() -> None:
    cloud = Cloud()
    with pytest.raises(pulumi.RunError, match="region: 'us-central1' must be that of gcp:region, 'us-east1'"):
        run_gke(cloud=cloud, provider={"gcp:region": "us-east1"})
    assert not cloud.declared


class TestZones:
    def test_the_first_one_that_sells_everything_is_taken(self) -> None:
        project = Project(zones={"us-central1-a": Zone(frozenset(), frozenset())})
        assert run_gke(project=project).one(POOL, "management").inputs["location"] == "us-central1-b"

    def test_the_right_sized_variant_goes_where_its_purchases_are_sold(self) -> None:
        without = Zone(zone("us-central1-a").machine_types - {"t2a-standard-1"}, frozenset())
        project = Project(zones={"us-central1-a": without})
        stack = run_gke(RIGHT_SIZED, project=project)
        assert stack.one(POOL, "management").inputs["location"] == "us-central1-b"

    def test_but_to_where_its_own_nodes_are_rather_than_nowhere(self) -> None:
        shown = zone("us-central1-a")
        without = Zone(shown.machine_types - {"t2a-standard-1"}, shown.accelerators)
        project = Project(zones={f"us-central1-{letter}": without for letter in "abcf"})
        stack = run_gke(RIGHT_SIZED, project=project)
        assert stack.one(POOL, "management").inputs["location"] == "us-central1-a"

    def test_arm_and_gpus_without_a_common_zone_are_refused_with_the_way_out(self) -> None:
        arm = Zone(frozenset({"t2a-standard-2"}), frozenset())
        gpus = Zone(frozenset({"n1-standard-2"}), frozenset({"nvidia-tesla-t4"}))
        nothing = Zone(frozenset(), frozenset())
        letters = {"a": arm, "b": gpus, "c": nothing, "f": nothing}
        project = Project(zones={f"us-central1-{letter}": sold for letter, sold in letters.items()})
        (line,) = faults_of({}, project)
        assert line == (
            "zones is not set: it cannot be one zone: none of us-central1 sells all of the stack's machines "
            "(t2a-standard-2 only in us-central1-a; n1-standard-2+t4x1 only in us-central1-b); set zones to "
            "[us-central1-a, us-central1-b] for a regional cluster, or choose another shape"
        )
        regional = run_gke({"zones": ["us-central1-a", "us-central1-b"]}, project=project)
        placed = {one.name: one.inputs["nodeLocations"] for one in regional.all(POOL)}
        assert placed == {"management": ["us-central1-a"], "gpu-fixed": ["us-central1-b"]}

    def test_what_the_cloud_sells_nowhere_is_refused_though_the_catalog_has_it(self) -> None:
        without = {name: Zone(zone(name).machine_types, frozenset()) for name in _zones()}
        (line,) = faults_of({}, Project(zones=without))
        assert line.startswith("gpu.shape: 'n1-standard-2+t4x1' is not sold in us-central1-a, us-central1-b,")
        assert line.endswith("; choose another shape or region")

    def test_zones_that_do_not_sell_a_machine_are_told_which_do(self) -> None:
        project = Project(zones={"us-central1-a": Zone(frozenset({"t2a-standard-2"}), frozenset())})
        (line,) = faults_of({"zones": ["us-central1-a"]}, project)
        assert line == (
            "gpu.shape: 'n1-standard-2+t4x1' is not sold in us-central1-a of us-central1; "
            "zones us-central1-b, us-central1-c, us-central1-f sell it"
        )

    def test_a_zone_that_is_down_is_refused(self) -> None:
        cloud = Cloud()
        cloud.results["gcp:compute/getZones:getZones"] = lambda _args: {"names": ["us-central1-b"]}
        with pytest.raises(pulumi.RunError, match=r"zones\[0\]: 'us-central1-a' is not a zone that is up; "):
            run_gke({"zones": ["us-central1-a"]}, cloud=cloud)


class TestQuotas:
    def test_a_project_without_gpus_is_told_what_works_without(self) -> None:
        (line,) = faults_of({}, Project(everywhere={"GPUS_ALL_REGIONS": NOTHING}))
        assert line == (
            "gpu.shape: 'n1-standard-2+t4x1' makes the stack need 15 of the quota GPUS_ALL_REGIONS of "
            "all regions, of which 0 of 0 are left; have it raised to 15 at "
            "https://console.cloud.google.com/iam-admin/quotas, or take the variant right-sized, which "
            "needs no GPU"
        )
        assert run_gke({"variant": "right-sized"}, project=Project(everywhere={"GPUS_ALL_REGIONS": NOTHING}))

    def test_all_of_them_are_said_together(self) -> None:
        project = Project(
            everywhere={"GPUS_ALL_REGIONS": NOTHING},
            regional={"NVIDIA_T4_GPUS": Quota(limit=16, usage=6), "T2A_CPUS": Quota(limit=3, usage=0)},
        )
        lines = faults_of({}, project)
        assert [line.partition(" makes ")[0] for line in lines] == [
            "management.shape: 't2a-standard-2'",
            "gpu.shape: 'n1-standard-2+t4x1'",
            "gpu.shape: 'n1-standard-2+t4x1'",
        ]
        assert "of which 10 of 16 are left; have it raised to 21 at" in lines[1] + lines[2]
        assert "or make do with 10 of these machines" in lines[1] + lines[2]

    def test_series_without_a_quota_of_their_own_are_counted_together_or_not_at_all(self) -> None:
        scarce = Project(regional={"CPUS": Quota(limit=3, usage=0)})
        (line,) = faults_of({**RIGHT_SIZED, "management.shape": "e2-standard-2"}, scarce)
        assert line.startswith("management.shape: 'e2-standard-2' makes the stack need 4 of the quota CPUS")
        assert run_gke({**RIGHT_SIZED, "management.shape": "c4a-standard-2"}, project=scarce)

    def test_cpus_are_counted_in_the_series_own_quota(self) -> None:
        def needed(regional: dict[str, Quota]) -> str:
            (line,) = faults_of(RIGHT_SIZED, Project(regional=regional))
            return line.partition("need ")[2].partition(" of the quota ")[0]

        # Two management nodes, four t2a-standard-2 and four t2a-standard-1.
        assert needed({"T2A_CPUS": Quota(limit=15, usage=0)}) == "16"
        assert run_gke(RIGHT_SIZED, project=Project(regional={"T2A_CPUS": Quota(16, 0)}))
        assert run_gke(RIGHT_SIZED, project=Project(regional={"CPUS": NOTHING}))

    def test_what_the_stack_itself_uses_is_not_held_against_it(self) -> None:
        full = {"NVIDIA_T4_GPUS": Quota(limit=15, usage=15)}
        assert run_gke(project=Project(regional=full, built="us-central1-a"))
        assert faults_of({}, Project(regional=full))
        assert faults_of({"models.vgg16.gpu.max_workers": 8}, Project(regional=full, built="us-central1-a"))

    def test_quotas_that_may_not_be_read_are_not_judged(self) -> None:
        assert run_gke(project=Project(regional={}, everywhere={}, unread=("quotas: not permitted",)))


class TestTheQuestion:
    def test_is_asked_at_the_settings_endpoint_with_the_providers_credentials(self) -> None:
        project = Project()
        run_gke({"provisioner.endpoint": "http://127.0.0.1:4000"}, project=project)
        (question,) = project.questions
        assert (question.project, question.region) == (PROJECT, "us-central1")
        assert (question.endpoint, question.cluster) == ("http://127.0.0.1:4000", "gke")
        assert question.credentials.token == "a-token"
        assert question.zones == _zones()

    def test_that_is_not_answered_is_one_line(self) -> None:
        class Silent(Project):
            def survey(self, question: Question) -> Any:
                raise SurveyFailed(f"{question.project}: no such project (404)")

        (line,) = faults_of({}, Silent())
        assert line.startswith(
            f"project: '{PROJECT}' cannot be looked at before it is built in; {PROJECT}: no"
        )

    def test_that_the_engine_cannot_ask_is_one_line(self) -> None:
        class Refused(grpc.RpcError):
            def code(self) -> grpc.StatusCode:
                return grpc.StatusCode.UNKNOWN

            def details(self) -> str:
                return "403 PERMISSION_DENIED\nsuggestion: check the role"

        def refuse(_args: object) -> dict[str, Any]:
            raise Refused

        cloud = Cloud()
        cloud.results["gcp:compute/getZones:getZones"] = refuse
        with pytest.raises(pulumi.RunError, match="403 PERMISSION_DENIED") as caught:
            run_gke(cloud=cloud)
        assert len(str(caught.value).splitlines()) == 1


def _zones() -> tuple[str, ...]:
    return tuple(f"us-central1-{letter}" for letter in "abcf")
