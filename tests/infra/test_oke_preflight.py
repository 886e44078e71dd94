"""What is found of a tenancy at preview, before anything is declared: shapes and limits."""

from typing import Any

import pulumi
import pytest

from stacks.oke_survey import Question, Room, SurveyFailed
from tests.support.mocks import Cloud
from tests.support.oracle_tenancy import Tenancy
from tests.support.settings import COMPARTMENT
from tests.support.stacks import run

AD_1, AD_2, AD_3 = (f"EMUL:US-ASHBURN-AD-{number}" for number in (1, 2, 3))
NODE_POOL_OPTION = "oci:ContainerEngine/getNodePoolOption:getNodePoolOption"
NOTHING = Room(available=0, used=0)
POOL = "oci:ContainerEngine/nodePool:NodePool"
PROVISIONED = {
    "variant": "right-sized",
    "provisioner.mode": "bin-select",
    "provisioner.families": ["VM.Standard.A1"],
}


def everywhere(limit: str, room: Room | None) -> dict[tuple[str, str], Room | None]:
    return {(limit, domain): room for domain in (AD_1, AD_2, AD_3)}


def faults_of(changes: dict[str, Any], tenancy: Tenancy) -> list[str]:
    """Lines of the refusal; nothing may have been declared."""
    cloud = Cloud()
    with pytest.raises(pulumi.RunError) as caught:
        run(changes, cloud=cloud, tenancy=tenancy)
    assert not cloud.declared
    return str(caught.value).splitlines()


class TestLimits:
    def test_a_tenancy_without_gpus_is_told_what_works_without(self) -> None:
        none = everywhere("gpu2-count", NOTHING)
        (line,) = faults_of({}, Tenancy(none))
        assert line == (
            "gpu.shape: 'VM.GPU2.1' makes the stack need 6 GPUs, of which the limit gpu2-count leaves 0 in "
            f"{AD_1}; ask Oracle for a higher limit, or take the variant right-sized, which needs no GPU"
        )
        assert run({"variant": "right-sized"}, tenancy=Tenancy(none))

    def test_gpus_in_another_availability_domain_are_pointed_to(self) -> None:
        rooms = {**everywhere("gpu2-count", NOTHING), ("gpu2-count", AD_3): Room(available=6, used=0)}
        (line,) = faults_of({}, Tenancy(rooms))
        assert line.endswith(f"or set gpu.availabilityDomains to [{AD_3}], which has room")
        assert run({"gpu.availabilityDomains": [AD_3]}, tenancy=Tenancy(rooms)).one(POOL, "gpu-fixed")

    def test_limits_of_several_availability_domains_add_up(self) -> None:
        rooms = everywhere("gpu2-count", Room(available=2, used=0))
        assert faults_of({"gpu.availabilityDomains": [AD_1, AD_2]}, Tenancy(rooms))
        assert run({"gpu.availabilityDomains": [AD_1, AD_2, AD_3]}, tenancy=Tenancy(rooms))

    def test_arm_cores_and_memory_are_counted_with_what_will_be_bought(self) -> None:
        # Two management nodes of 2 OCPU and 32 GB; four nodes of 1 OCPU for each of two models.
        cores, memory = Room(available=3, used=0), Room(available=40, used=0)
        rooms = {
            **everywhere("standard-a1-core-count", cores),
            **everywhere("standard-a1-memory-count", memory),
        }
        assert run(PROVISIONED, tenancy=Tenancy(everywhere("standard-a1-core-count", Room(4, 0))))
        assert run(tenancy=Tenancy(rooms))
        (line,) = faults_of(PROVISIONED, Tenancy(rooms))
        assert line.startswith(
            "management.shape: 'VM.Standard.A1.Flex' makes the stack need 12 OCPUs, of which the limit "
            f"standard-a1-core-count leaves 9 in {AD_1}, {AD_2}, {AD_3}; "
        )

    def test_what_the_stack_itself_uses_is_not_held_against_it(self) -> None:
        full = everywhere("gpu2-count", Room(available=0, used=6))
        assert run(tenancy=Tenancy(full, built=True))
        assert faults_of({}, Tenancy(full))
        assert faults_of({"models.vgg16.gpu.max_workers": 4}, Tenancy(full, built=True))

    def test_limits_that_do_not_tell_are_not_judged(self) -> None:
        assert run(tenancy=Tenancy(everywhere("gpu2-count", None), unread=("limit gpu2-count: no",)))

    def test_a_tenancy_that_does_not_answer_is_not_judged(self) -> None:
        class Silent(Tenancy):
            def survey(self, question: Question) -> Any:
                raise SurveyFailed(f"{question.compartment}: no answer")

        assert run(tenancy=Silent()).one(POOL, "gpu-fixed")
        assert run(provider={}, tenancy=Silent()).one(POOL, "gpu-fixed")

    def test_are_asked_for_as_the_provider_at_the_settings_endpoint(self) -> None:
        tenancy = Tenancy()
        run({"provisioner.endpoint": "http://127.0.0.1:4000"}, tenancy=tenancy)
        (question,) = tenancy.questions
        assert (question.compartment, question.cluster) == (COMPARTMENT, "oke")
        assert question.endpoint == "http://127.0.0.1:4000"
        assert question.limits == ("standard-a1-core-count", "standard-a1-memory-count", "gpu2-count")
        assert question.domains == (AD_1, AD_2, AD_3)
        assert question.credentials.config["user"] == "ocid1.user.oc1..test"


def test_a_shape_that_node_pools_cannot_have_here_is_refused() -> None:
    cloud = Cloud()
    plain = run().called
    offered = next(call.result for call in plain if call.token == NODE_POOL_OPTION)
    cloud.results[NODE_POOL_OPTION] = lambda _args: {
        **offered,
        "shapes": ["VM.GPU3.1", "VM.Standard.A1.Flex"],
    }
    with pytest.raises(pulumi.RunError) as caught:
        run(cloud=cloud)
    assert str(caught.value) == (
        "gpu.shape: 'VM.GPU2.1' is not offered for node pools in this region; did you mean 'VM.GPU3.1'?"
    )
    assert not cloud.declared
