"""Results of OCI functions (data sources): one row for each."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from emulator.plugins.model import region
from emulator.plugins.model.derived import digest
from emulator.plugins.model.kubeconfig import PUBLIC, kubeconfig
from emulator.plugins.model.resources import outputs_of
from emulator.plugins.model.values import Properties, given

Function = Callable[[Mapping[str, Any]], Properties]


class UnknownFunction(Exception):
    """The emulated cloud does not know a function."""


def _services(_args: Mapping[str, Any]) -> Properties:
    return {"services": region.services()}


def _availability_domains(args: Mapping[str, Any]) -> Properties:
    return {"availabilityDomains": region.availability_domains(args.get("compartmentId"))}


def _cluster_option(_args: Mapping[str, Any]) -> Properties:
    return {
        "kubernetesVersions": region.kubernetes_versions(),
        "clusterPodNetworkOptions": [{"cniType": "OCI_VCN_IP_NATIVE"}, {"cniType": "FLANNEL_OVERLAY"}],
    }


def _node_pool_option(args: Mapping[str, Any]) -> Properties:
    sources = region.node_sources(args.get("nodePoolK8sVersion"), args.get("nodePoolOsArch"))
    return {
        "kubernetesVersions": region.kubernetes_versions(),
        "shapes": region.shapes(),
        "images": [source["sourceName"] for source in sources],
        "sources": sources,
    }


def _cluster_kube_config(args: Mapping[str, Any]) -> Properties:
    content = kubeconfig(str(args.get("clusterId")), region.REGION, str(args.get("endpoint") or PUBLIC))
    return {"content": content}


def _vcn(args: Mapping[str, Any]) -> Properties:
    found = {"cidrBlocks": ["10.0.0.0/16"], "dnsLabel": "existing", "compartmentId": region.COMPARTMENT}
    vcn_id = str(args.get("vcnId"))
    return {**outputs_of("oci:Core/vcn:Vcn", found, vcn_id), "id": vcn_id}


def _subnet(args: Mapping[str, Any]) -> Properties:
    subnet_id = str(args.get("subnetId"))
    found = {"cidrBlock": "10.0.9.0/24", "compartmentId": region.COMPARTMENT}
    return {**outputs_of("oci:Core/subnet:Subnet", found, subnet_id), "id": subnet_id}


def _subnets(_args: Mapping[str, Any]) -> Properties:
    return {"subnets": []}


FUNCTIONS: Final[Mapping[str, Function]] = {
    "oci:Core/getServices:getServices": _services,
    "oci:Core/getVcn:getVcn": _vcn,
    "oci:Core/getSubnet:getSubnet": _subnet,
    "oci:Core/getSubnets:getSubnets": _subnets,
    "oci:Identity/getAvailabilityDomains:getAvailabilityDomains": _availability_domains,
    "oci:ContainerEngine/getClusterOption:getClusterOption": _cluster_option,
    "oci:ContainerEngine/getNodePoolOption:getNodePoolOption": _node_pool_option,
    "oci:ContainerEngine/getClusterKubeConfig:getClusterKubeConfig": _cluster_kube_config,
}


def invoke_of(token: str, args: Mapping[str, Any]) -> Properties:
    """What a function answers in a fresh region with one healthy cluster.

    Arguments come back beside the result, as the official provider returns them.

    Raises:
        UnknownFunction: naming the token and those that are known.
    """
    function = FUNCTIONS.get(token)
    if function is None:
        raise UnknownFunction(
            f"{token}: the emulated cloud has no such function; it has {', '.join(sorted(FUNCTIONS))}"
        )
    own_id = {"id": f"{token.rsplit(':', 1)[-1]}-{digest(str(sorted(args.items())), 12)}"}
    return given({**own_id, **args, **function(args)})
