import json
from dataclasses import FrozenInstanceError
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catalog.timing import CLOUD, DEMO
from stacks.faults import Fault, StackError
from stacks.project import Project
from stacks.settings import VARIANTS, Cluster, parse
from tests.support.settings import PUBLISHED_MODELS, PUBLISHED_MODELS_GKE, settings, values

CHECKOUT = Path(__file__).parents[3]


def faults_of(changes: dict[str, Any], *, cloud: str = "oke") -> list[str]:
    with pytest.raises(StackError) as caught:
        parse(values(changes, cloud=cloud))
    return str(caught.value).splitlines()


class TestImages:
    def test_a_registry_stands_before_the_projects_own_images(self) -> None:
        found = settings({"images.registry": "localhost:5000/mine"})
        assert found.provisioner.image == "localhost:5000/mine/rightsize/provisioner:0.1.0"
        assert found.serving.gpu_image == "localhost:5000/mine/rightsize/serving:0.1.0-gpu"

    @pytest.mark.parametrize("registry", ["https://iad.ocir.io/mine", "iad.ocir.io/mine/", "iad.ocir.io/a:1"])
    def test_a_registry_has_no_scheme_and_no_tag(self, registry: str) -> None:
        (fault,) = faults_of({"images.registry": registry})
        assert fault.startswith(f"images.registry: '{registry}' must be a host and a path")

    @pytest.mark.parametrize("text", ["hunter2", "[]", "{}", '{"auths": {}}'])
    def test_credentials_that_are_none_are_refused_and_not_repeated(self, text: str) -> None:
        (fault,) = faults_of({"images.pullSecret": text})
        assert fault.startswith("images.pullSecret: ")
        assert '"auths"' in fault
        assert "hunter2" not in fault

    def test_credentials_are_not_shown(self) -> None:
        found = settings({"images.pullSecret": '{"auths": {"iad.ocir.io": {"auth": "hunter2"}}}'})
        assert "hunter2" not in repr(found)


class TestWhatIsAccepted:
    def test_the_published_sizes_are_decimal(self) -> None:
        squeezenet, vgg = settings().models
        assert (squeezenet.name, vgg.name) == ("squeezenet1_1", "vgg16")
        assert vgg.form(right_sized=True).memory_bytes == 4_000_000_000
        assert vgg.form(right_sized=False).cpu_millicores == 400
        assert squeezenet.form(right_sized=False).gpus == 1

    def test_what_is_not_said_has_a_default(self) -> None:
        found = settings()
        assert found.accounting == "documented"
        assert found.timing is CLOUD
        assert found.kubernetes_version == ""
        assert (found.management.ocpus, found.management.memory_gib, found.management.count) == (2, 32, 2)
        assert found.gpu.shape == "VM.GPU2.1"
        assert found.provisioner.architectures == ("arm64",)
        assert found.provisioner.families == ()
        assert found.budget_per_hour is None
        assert found.expose_cidrs == ()

    def test_the_autoscaled_pool_may_have_twice_the_sum_of_max_workers(self) -> None:
        assert settings().gpu_max_nodes == 12
        assert settings({"gpu.maxNodes": 5}).gpu_max_nodes == 5

    def test_max_workers_are_those_of_the_variant_in_use(self) -> None:
        assert settings({"variant": "dynamic"}).max_workers == 6
        assert settings({"variant": "right-sized"}).max_workers == 8

    def test_settings_are_frozen(self) -> None:
        with pytest.raises(FrozenInstanceError):
            settings().variant = "dynamic"  # type: ignore[misc]

    def test_only_the_form_in_use_has_to_be_there(self) -> None:
        only = {"tiny": {"right_sized": {"cpu": 1, "memory": "1Gi", "max_workers": 2}}}
        (model,) = settings({"variant": "right-sized", "models": only}).models
        assert model.gpu is None
        assert model.archive == "tiny.mar"

    @pytest.mark.parametrize(
        ("written", "millicores"),
        [
            ("400m", 400),
            ("2", 2000),
            (2, 2000),
            (0.5, 500),
            (Decimal("0.25"), 250),
            ("1e3m", None),
            ("1500m", 1500),
        ],
    )
    def test_cpu_is_read_as_kubernetes_reads_it(self, written: object, millicores: int | None) -> None:
        path = "models.vgg16.gpu.cpu"
        if millicores is None:
            assert faults_of({path: written})
        else:
            assert settings({path: written}).models[1].form(right_sized=False).cpu_millicores == millicores

    @pytest.mark.parametrize(
        ("written", "size"),
        [
            ("4G", 4 * 10**9),
            ("4Gi", 4 * 2**30),
            ("1.5G", 15 * 10**8),
            ("4e9", 4 * 10**9),
            (4 * 10**9, 4 * 10**9),
        ],
    )
    def test_memory_is_read_as_kubernetes_reads_it(self, written: object, size: int) -> None:
        found = settings({"models.vgg16.gpu.memory": written})
        assert found.models[1].form(right_sized=False).memory_bytes == size

    def test_demo_timing(self) -> None:
        assert settings({"timing": "demo"}).timing is DEMO


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            (
                {"variant": "max-size"},
                "variant: 'max-size' must be one of max-sized, dynamic, right-sized; did you mean 'max-sized'?",
            ),
            ({"variant": None}, "variant is not set: it must be one of max-sized, dynamic, right-sized"),
            ({"varient": "dynamic"}, "varient is an unknown key; did you mean 'variant'?"),
            (
                {"gpu.shap": "VM.GPU3.1"},
                "gpu.shap is an unknown key; did you mean 'shape'?",
            ),
            (
                {"models.vgg16.gpu.maxWorkers": 3},
                "models.vgg16.gpu.maxWorkers is an unknown key; did you mean 'max_workers'?",
            ),
            (
                {"models.vgg16.gpu.memory": "400m"},
                (
                    "models.vgg16.gpu.memory: '400m' must be an amount of memory in whole bytes, such as 4G (10^9 bytes) "
                    "or 512Mi; did you mean '400M'?"
                ),
            ),
            (
                {"models.vgg16.gpu.cpu": "400mm"},
                "models.vgg16.gpu.cpu: '400mm' must be an amount of CPU in whole millicores, such as 400m or 2",
            ),
            (
                {"models.vgg16.gpu.max_workers": 0},
                "models.vgg16.gpu.max_workers: 0 must be a whole number from 1 to 1000",
            ),
            (
                {"api.allowedCidrs": ["0.0.0.0/0"]},
                "api.allowedCidrs: '0.0.0.0/0' must not let in everybody; list the addresses you come from",
            ),
            (
                {"expose.allowedCidrs": ["0.0.0.0/1", "128.0.0.0/1"]},
                (
                    "expose.allowedCidrs: '0.0.0.0/1, 128.0.0.0/1' must not let in everybody; "
                    "list the addresses you come from"
                ),
            ),
            (
                {"api.allowedCidrs": []},
                (
                    "api.allowedCidrs: '[]' must list the addresses that may reach the API server; "
                    "name your own, such as 203.0.113.7/32, or set api.access to private"
                ),
            ),
            (
                {"api.allowedCidrs": ["10.0.0.1/8"]},
                (
                    "api.allowedCidrs[0]: '10.0.0.1/8' must be an IPv4 block such as 203.0.113.0/24; "
                    "did you mean '10.0.0.0/8'?"
                ),
            ),
            (
                {"project": "my-project"},
                (
                    "project: 'my-project' must not be set beside compartment: a stack is on one cloud; "
                    "empty one"
                ),
            ),
            (
                {"provisioner.architectures": ["arm"]},
                "provisioner.architectures[0]: 'arm' must be one of amd64, arm64; did you mean 'arm64'?",
            ),
            (
                {"network.natGatewayId": "ocid1.natgateway.oc1..x"},
                (
                    "network.natGatewayId: 'ocid1.natgateway.oc1..x' must lie in a VCN that is there already; "
                    "set network.vcnId too"
                ),
            ),
            (
                {"network.cidrBlock": "10.0.0.0/24"},
                "network.cidrBlock: '10.0.0.0/24' must be a /18 or larger; such as 10.0.0.0/16",
            ),
            (
                {"budget.pricePerHour": "cheap"},
                "budget.pricePerHour: 'cheap' must be a price above 0, in US dollars an hour",
            ),
            ({"management": 4}, "management must be an object; write its keys below it"),
            (
                {"kubernetesVersion": "1.36"},
                "kubernetesVersion: '1.36' must have the form v1.36.3, or be empty",
            ),
        ],
    )
    def test_a_fault_names_path_value_expectation_and_way_out(
        self, changes: dict[str, Any], line: str
    ) -> None:
        assert line in faults_of(changes)

    @pytest.mark.parametrize("price", [-0.001, "2.125", "NaN", "much", True])
    def test_a_price_a_month_is_not_taken_for_one_an_hour(self, price: object) -> None:
        (line,) = faults_of({"provisioner.nodeOverheadPricePerHour": price})
        assert line == (
            f"provisioner.nodeOverheadPricePerHour: {price!r} must be a price from 0 to 1, in US dollars an hour; "
            "divide a price a month by 730"
        )

    def test_nothing_at_all_asks_for_everything_at_once(self) -> None:
        with pytest.raises(StackError) as caught:
            parse({})
        asked = {fault.path for fault in caught.value.faults}
        assert asked == {"variant", "region", "compartment", "models", "api.allowedCidrs"}

    def test_all_faults_are_said_together(self) -> None:
        lines = faults_of(
            {
                "variant": "x",
                "models.vgg16.gpu.cpu": "y",
                "provisioner.mode": "z",
                "management.count": -1,
                "w": 1,
            }
        )
        assert [line.split()[0].removesuffix(":") for line in lines] == [
            "variant",
            "models.vgg16.gpu.cpu",
            "management.count",
            "provisioner.mode",
            "w",
        ]

    def test_a_form_that_the_variant_needs(self) -> None:
        changes = {"variant": "right-sized", "models": {"tiny": {"gpu": {"cpu": 1, "memory": "1G"}}}}
        assert faults_of(changes) == [
            (
                "models.tiny.right_sized is not set: it must be there for this variant; "
                "for example right_sized: {cpu: 400m, memory: 4G, max_workers: 4}"
            )
        ]

    def test_two_models_that_kubernetes_cannot_tell_apart(self) -> None:
        worker = {"gpu": {"cpu": 1, "memory": "1G"}}
        (line,) = faults_of({"models": {"a_b": worker, "a.b": worker}})
        assert line.startswith("models.a_b: 'a_b' must differ from 'a.b'")

    @pytest.mark.parametrize("name", ["1st", "-a", "a-", "a b", "ä", "a" * 51])
    def test_names_that_no_kubernetes_object_can_have(self, name: str) -> None:
        (line,) = faults_of({"models": {name: {"gpu": {"cpu": 1, "memory": "1G"}}}})
        assert "must be a name of letters" in line


class TestGke:
    def test_a_project_makes_it_a_gke_stack(self) -> None:
        found = settings(cloud="gke")
        assert (found.cloud, settings().cloud) == ("gke", "oke")
        assert isinstance(found.site, Project)
        assert (found.site.id, found.site.zones) == ("emulated-project", ())

    def test_what_is_not_said_has_googles_default(self) -> None:
        found = settings(cloud="gke")
        assert found.gpu.shape == "n1-standard-2+t4x1"
        assert (found.management.shape, found.management.count) == ("t2a-standard-2", 2)
        assert found.cluster == Cluster(deletion_protection=False, release_channel="REGULAR")
        assert found.api.dns_endpoint is False
        assert found.gpu_max_nodes == 30

    @pytest.mark.parametrize("project", ["my-project", "a12345", "example.com:my-project"])
    def test_project_ids(self, project: str) -> None:
        assert settings({"project": project}, cloud="gke").cloud == "gke"

    @pytest.mark.parametrize(
        "project", ["My Project", "123456789012", "short", "ends-with-", "a" * 31, "under_score"]
    )
    def test_what_is_no_project_id_is_refused_with_the_way_to_find_it(self, project: str) -> None:
        (line,) = faults_of({"project": project}, cloud="gke")
        assert line.startswith(f"project: '{project}' must be the id of the project to build in: 6 to 30")
        assert line.endswith("gcloud projects list prints it; pulumi config set project my-project")

    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            (
                {"compartment": "ocid1.compartment.oc1..a"},
                "project: 'emulated-project' must not be set beside compartment: a stack is on one cloud",
            ),
            ({"region": "us-ashburn-1"}, "region: 'us-ashburn-1' must be a region such as us-central1"),
            (
                {"zones": ["us-central1-a", "us-east1-b"]},
                "zones[1]: 'us-east1-b' must be a zone of us-central1; such as us-central1-a",
            ),
            ({"gpu.availabilityDomains": ["x"]}, "gpu.availabilityDomains is an unknown key"),
            ({"management.ocpus": 2}, "management.ocpus is an unknown key"),
            (
                {"cluster.releaseChannel": "regular"},
                "cluster.releaseChannel: 'regular' must be one of REGULAR, RAPID, STABLE, EXTENDED",
            ),
            (
                {"cluster.deletionProtection": "yes"},
                "cluster.deletionProtection: 'yes' must be true or false",
            ),
            (
                {"network.subnetwork": "s", "network.podsRange": "p", "network.servicesRange": "q"},
                "network.subnetwork: 's' must lie in a network that is there already; set network.name too",
            ),
            (
                {"network.name": "n", "network.subnetwork": "s", "network.podsRange": "p"},
                "network.servicesRange is not set: it must be a secondary range of subnetwork 's'; name it",
            ),
            (
                {"network.podsRange": "p"},
                "network.podsRange: 'p' must be of an existing subnetwork; set network.subnetwork too",
            ),
            (
                {"network.podsCidr": "10.0.0.0/16"},
                "network.podsCidr: '10.0.0.0/16' must not overlap 10.0.0.0/20; choose another range",
            ),
            ({"network.podsCidr": "10.4.0.0/22"}, "network.podsCidr: '10.4.0.0/22' must be a /21 or larger"),
            ({"network.vcnId": "ocid1.vcn.oc1..a"}, "network.vcnId is an unknown key"),
            (
                {"kubernetesVersion": "v1.36.3"},
                "kubernetesVersion: 'v1.36.3' must have the form 1.36 or 1.36.3-gke.1092000, or be empty",
            ),
        ],
    )
    def test_faults(self, changes: dict[str, Any], line: str) -> None:
        assert [found for found in faults_of(changes, cloud="gke") if found.startswith(line)]

    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            ({"zones": ["us-central1-a"]}, "zones: 'us-central1-a' are of Google Cloud; leave them out"),
            ({"api.dnsEndpoint": True}, "api.dnsEndpoint is an unknown key"),
            ({"cluster.releaseChannel": "RAPID"}, "cluster.releaseChannel is an unknown key"),
        ],
    )
    def test_what_only_gke_has_is_refused_on_oke(self, changes: dict[str, Any], line: str) -> None:
        assert [found for found in faults_of(changes) if found.startswith(line)]

    @pytest.mark.parametrize(
        ("region", "place"), [("us-central1", "project"), ("us-ashburn-1", "compartment")]
    )
    def test_without_a_place_the_region_tells_what_to_ask_for(self, region: str, place: str) -> None:
        lines = faults_of({"compartment": "", "region": region})
        assert [line for line in lines if line.startswith(f"{place} is not set: it must be the ")]


class TestTheStackFiles:
    @pytest.mark.parametrize(("cloud", "place"), [("oke", "compartment"), ("gke", "project")])
    @pytest.mark.parametrize("stack", ["", "-max-sized", "-dynamic", "-right-sized"])
    def test_lack_only_what_is_the_users_own(self, cloud: str, place: str, stack: str) -> None:
        name = f"{cloud}{stack}"
        document = yaml.safe_load((CHECKOUT / f"Pulumi.{name}.yaml").read_text())["config"]
        found = {key.removeprefix("rightsize:"): value for key, value in document.items()}
        with pytest.raises(StackError) as caught:
            parse(found)
        assert {fault.path for fault in caught.value.faults} == {place, "api.allowedCidrs"}

    @pytest.mark.parametrize("cloud", ["oke", "gke"])
    @pytest.mark.parametrize("variant", VARIANTS)
    def test_a_named_stack_has_the_variant_of_its_name(self, cloud: str, variant: str) -> None:
        document = yaml.safe_load((CHECKOUT / f"Pulumi.{cloud}-{variant}.yaml").read_text())
        assert document["config"]["rightsize:variant"] == variant

    @pytest.mark.parametrize(("cloud", "models"), [("oke", PUBLISHED_MODELS), ("gke", PUBLISHED_MODELS_GKE)])
    @pytest.mark.parametrize("stack", ["", "-max-sized", "-dynamic", "-right-sized"])
    def test_serve_the_published_models(self, cloud: str, models: dict[str, Any], stack: str) -> None:
        document = yaml.safe_load((CHECKOUT / f"Pulumi.{cloud}{stack}.yaml").read_text())
        assert document["config"]["rightsize:models"] == models

    def test_every_key_of_the_project_is_typed_defaulted_described_and_known(self) -> None:
        keys = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())["config"]
        assert all(set(key) - {"items"} == {"type", "default", "description"} for key in keys.values())
        with pytest.raises(StackError) as caught:
            parse({name: key["default"] for name, key in keys.items()})
        assert not [fault for fault in caught.value.faults if "unknown" in fault.expectation]

    def test_the_project_declares_every_key_that_is_known(self) -> None:
        declared = set(yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())["config"])
        (line,) = faults_of({"zzzzzz": 1})
        assert set(line.split("known: ")[1].split(", ")) == declared


words = st.text("abz09.-_/{[:é", max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
paths = st.sampled_from(
    [
        "variant",
        "accounting",
        "timing",
        "region",
        "models",
        "models.vgg16",
        "models.vgg16.gpu",
        "models.vgg16.gpu.cpu",
        "models.vgg16.gpu.memory",
        "models.vgg16.gpu.gpus",
        "models.vgg16.environment",
        "api",
        "api.allowedCidrs",
        "gpu.maxNodes",
        "management",
        "network.cidrBlock",
        "network.subnets",
        "project",
        "zones",
        "cluster.deletionProtection",
        "provisioner.families",
        "budget.pricePerHour",
        "unheard",
    ]
)


@given(st.dictionaries(paths, anything, max_size=4))
def test_whatever_is_written_is_either_settings_or_faults(changes: dict[str, Any]) -> None:
    mapping = values()
    for path, value in changes.items():
        *parents, last = path.split(".")
        inner: Any = mapping
        for parent in parents:
            inner = inner.setdefault(parent, {}) if isinstance(inner, dict) else {}
        if isinstance(inner, dict):
            inner[last] = value
    faults: tuple[Fault, ...] = ()
    try:
        models = parse(mapping).models
    except StackError as error:
        faults, models = error.faults, ()
    assert bool(faults) != bool(models)
    assert len(str(StackError(faults)).splitlines()) == len(faults)


@given(st.integers(1, 10**6), st.integers(1, 10**13), st.integers(1, 1000))
def test_a_size_survives_the_way_through_json(millicores: int, memory: int, workers: int) -> None:
    worker = {"cpu": f"{millicores}m", "memory": str(memory), "max_workers": workers}
    models = json.loads(json.dumps({"m": {"gpu": worker}}))
    form = settings({"models": models}).models[0].form(right_sized=False)
    assert (form.cpu_millicores, form.memory_bytes, form.max_workers) == (millicores, memory, workers)
