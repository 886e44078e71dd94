"""Pulumi's OCI functions (data sources), asked of the emulated API."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.plugins.oci.api import CORE, ENGINE
from emulator.plugins.oci.network import NetworkHandler
from emulator.plugins.rest.api import Api
from emulator.plugins.rest.functions import Function
from emulator.plugins.values import Properties


def _vcn(api: Api, args: Mapping[str, Any]) -> Properties:
    return NetworkHandler("vcns").read(api, str(args["vcnId"]))


def _subnet(api: Api, args: Mapping[str, Any]) -> Properties:
    return NetworkHandler("subnets").read(api, str(args["subnetId"]))


def _services(api: Api, _args: Mapping[str, Any]) -> Properties:
    return {"services": api.get(f"{CORE}/services")}


def _availability_domains(api: Api, args: Mapping[str, Any]) -> Properties:
    query = {"compartmentId": args.get("compartmentId")}
    return {"availabilityDomains": api.get(f"{CORE}/availabilityDomains", query)}


def _cluster_option(api: Api, args: Mapping[str, Any]) -> Properties:
    query = {"compartmentId": args.get("compartmentId")}
    found: Properties = api.get(f"{ENGINE}/clusterOptions/{args['clusterOptionId']}", query)
    return found


def _node_pool_option(api: Api, args: Mapping[str, Any]) -> Properties:
    names = ("compartmentId", "nodePoolK8sVersion", "nodePoolOsArch", "nodePoolOsType")
    query = {name: args.get(name) for name in names}
    found: Properties = api.get(f"{ENGINE}/nodePoolOptions/{args['nodePoolOptionId']}", query)
    return found


def _cluster_kube_config(api: Api, args: Mapping[str, Any]) -> Properties:
    body = {name: args[name] for name in ("tokenVersion", "endpoint") if args.get(name)}
    path = f"{ENGINE}/clusters/{args['clusterId']}/kubeconfig/content"
    return {"content": api.call("POST", path, body).body}


FUNCTIONS: Final[Mapping[str, Function]] = {
    "oci:Core/getServices:getServices": _services,
    "oci:Core/getVcn:getVcn": _vcn,
    "oci:Core/getSubnet:getSubnet": _subnet,
    "oci:Identity/getAvailabilityDomains:getAvailabilityDomains": _availability_domains,
    "oci:ContainerEngine/getClusterOption:getClusterOption": _cluster_option,
    "oci:ContainerEngine/getNodePoolOption:getNodePoolOption": _node_pool_option,
    "oci:ContainerEngine/getClusterKubeConfig:getClusterKubeConfig": _cluster_kube_config,
}
