"""The mocks record what a program declares and answer as the plugins would."""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_oci as oci
import pytest
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from tests.support.mocks import Cloud, declare

VCN = "oci:Core/vcn:Vcn"
SUBNET = "oci:Core/subnet:Subnet"


class _Group(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Group", name)
        self.vcn = oci.core.Vcn(
            name, compartment_id="c", cidr_blocks=["10.0.0.0/16"], opts=pulumi.ResourceOptions(parent=self)
        )


class _Provider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("made", props)


class _Dynamic(Resource, module="test", name="Dynamic"):
    made: pulumi.Output[str]

    def __init__(self, name: str, secret: pulumi.Input[str]) -> None:
        super().__init__(_Provider(), name, {"secret": secret, "made": None})


def test_a_resource_is_recorded_with_its_inputs_and_dependencies() -> None:
    def program() -> None:
        vcn = oci.core.Vcn("net", compartment_id="c", cidr_blocks=["10.0.0.0/16"])
        oci.core.Subnet("sub", compartment_id="c", vcn_id=vcn.id, cidr_block="10.0.1.0/24")

    cloud = declare(program)
    vcn, subnet = cloud.one(VCN, "net"), cloud.one(SUBNET)
    assert vcn.inputs == {"compartmentId": "c", "cidrBlocks": ["10.0.0.0/16"]}
    assert subnet.inputs["vcnId"] == vcn.id
    assert subnet.depends_on(vcn)
    assert not vcn.depends_on(subnet)


def test_a_function_that_was_asked_is_recorded() -> None:
    cloud = declare(lambda: oci.core.get_services_output().services.apply(len))
    assert [call.token for call in cloud.called] == ["oci:Core/getServices:getServices"]


def test_a_test_may_choose_the_result_of_a_function() -> None:
    cloud = Cloud(results={"oci:Core/getServices:getServices": lambda _args: {"services": []}})

    def program() -> None:
        pulumi.export("services", oci.core.get_services_output().services)

    assert declare(program, cloud=cloud).exports == {"services": []}


def test_secrets_reach_the_record_in_clear_and_stay_secret_in_the_program() -> None:
    def program() -> None:
        tags = {"a": pulumi.Output.secret("hidden")}
        vcn = oci.core.Vcn("net", compartment_id="c", freeform_tags=tags)
        pulumi.export("tags", vcn.freeform_tags)
        pulumi.export("name", vcn.vcn_domain_name)

    cloud = declare(program)
    assert cloud.one(VCN).inputs["freeformTags"] == {"a": "hidden"}
    assert cloud.one(VCN).secrets == {"freeformTags"}
    assert cloud.exports["tags"] == {"a": "hidden"}
    assert cloud.secret_exports == {"tags"}


def test_kubernetes_objects_are_named_as_the_plugin_names_them() -> None:
    def program() -> None:
        provider = kubernetes.Provider("k", kubeconfig="{}")
        options = pulumi.ResourceOptions(provider=provider)
        kubernetes.core.v1.Namespace("ns", opts=options)
        kubernetes.core.v1.ConfigMap("cm", metadata={"name": "cm", "namespace": "ns"}, opts=options)

    cloud = declare(program)
    namespace = cloud.one("kubernetes:core/v1:Namespace")
    assert namespace.inputs["metadata"]["name"].startswith("ns-")
    assert namespace.inputs["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert cloud.one("kubernetes:core/v1:ConfigMap").id == "ns/cm"
    assert "pulumi:providers:kubernetes::k::" in namespace.provider


def test_a_load_balancer_service_has_an_address() -> None:
    def program() -> None:
        service = kubernetes.core.v1.Service(
            "s", metadata={"name": "s", "namespace": "n"}, spec={"type": "LoadBalancer"}
        )
        pulumi.export("ip", service.status.load_balancer.ingress[0].ip)

    assert declare(program).exports["ip"].startswith("10.0.2.")


def test_a_component_is_the_parent_of_its_children() -> None:
    cloud = declare(lambda: [_Group("g")])
    component = cloud.one("test:index:Group")
    assert cloud.one(VCN).parent == component.urn
    assert not component.custom
    assert cloud.reaches(cloud.one(VCN), component)


def test_dynamic_resources_and_options_are_recorded() -> None:
    def program() -> None:
        made = _Dynamic("d", pulumi.Output.secret("s"))
        options = pulumi.ResourceOptions(depends_on=[made], ignore_changes=["displayName"], protect=True)
        oci.core.Vcn("net", compartment_id="c", opts=options)

    cloud = declare(program)
    dynamic = cloud.one("pulumi-python:dynamic/test:Dynamic")
    assert dynamic.inputs["secret"] == "s"
    vcn = cloud.one(VCN)
    assert vcn.depends_on(dynamic)
    assert vcn.ignore_changes == ("displayName",)
    assert vcn.protect


def test_config_reaches_the_program_and_is_gone_afterwards() -> None:
    def program() -> None:
        config = pulumi.Config()
        pulumi.export("values", [config.get("variant"), config.get_object("gpu")])

    config = {"rightsize:variant": "dynamic", "rightsize:gpu": {"maxNodes": 3}}
    assert declare(program, config=config).exports["values"] == ["dynamic", {"maxNodes": 3}]
    assert declare(program).exports["values"] == [None, None]


def test_an_error_inside_an_apply_fails_the_program() -> None:
    def program() -> None:
        vcn = oci.core.Vcn("net", compartment_id="c")
        vcn.id.apply(lambda _id: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        declare(program)


def test_a_resource_the_cloud_does_not_have_is_an_error() -> None:
    with pytest.raises(Exception, match="oci:Core/instance:Instance x: the emulated cloud has no such"):
        declare(lambda: [oci.core.Instance("x", availability_domain="a", compartment_id="c")])
