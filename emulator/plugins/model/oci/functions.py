"""Results of OCI functions (data sources): one row for each."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.model.contract import Function
from emulator.plugins.model.oci import region
from emulator.plugins.model.oci.kubeconfig import PUBLIC, kubeconfig
from emulator.plugins.model.oci.resources import RESOURCES
from emulator.plugins.model.values import Properties


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
    return {**RESOURCES["oci:Core/vcn:Vcn"].outputs(found, vcn_id), "id": vcn_id}


def _subnet(args: Mapping[str, Any]) -> Properties:
    subnet_id = str(args.get("subnetId"))
    found = {"cidrBlock": "10.0.9.0/24", "compartmentId": region.COMPARTMENT}
    return {**RESOURCES["oci:Core/subnet:Subnet"].outputs(found, subnet_id), "id": subnet_id}


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
