"""What the cloud computes for network and identity resources."""

from collections.abc import Mapping
from typing import Any

from emulator.plugins.model.derived import TIME_CREATED, digest, ocid, public_address
from emulator.plugins.model.values import Properties


def vcn(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Address blocks in both forms, the DNS domain, and the defaults every VCN comes with."""
    blocks = inputs.get("cidrBlocks") or [block for block in [inputs.get("cidrBlock")] if block]
    label = inputs.get("dnsLabel")
    return {
        "cidrBlocks": blocks,
        "cidrBlock": blocks[0] if blocks else None,
        "byoipv6cidrBlocks": [],
        "ipv6cidrBlocks": [],
        "vcnDomainName": f"{label}.oraclevcn.com" if label else None,
        "defaultDhcpOptionsId": ocid("dhcpoptions", resource_id),
        "defaultRouteTableId": ocid("routetable", resource_id),
        "defaultSecurityListId": ocid("securitylist", resource_id),
    }


def nat_gateway(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """The public address it speaks from."""
    return {
        "natIp": public_address(resource_id),
        "publicIpId": inputs.get("publicIpId") or ocid("publicip", resource_id),
    }


def service_gateway(inputs: Mapping[str, Any], _resource_id: str) -> Properties:
    """The services by name beside their ids."""
    services = [{"serviceName": service["serviceId"], **service} for service in inputs.get("services", [])]
    return {"blockTraffic": False, "services": services}


def route_table(inputs: Mapping[str, Any], _resource_id: str) -> Properties:
    """Each rule with the kind of its destination."""
    rules = [
        {"destinationType": "CIDR_BLOCK", "routeType": "STATIC", **rule}
        for rule in inputs.get("routeRules", [])
    ]
    return {"routeRules": rules}


def subnet(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """The virtual router: the first host address of the block."""
    block = str(inputs.get("cidrBlock", "10.0.0.0/24"))
    head, _, last = block.partition("/")[0].rpartition(".")
    vcn_id = str(inputs.get("vcnId", ""))
    mac = digest(resource_id, 6)
    return {
        "ipv4cidrBlocks": [block],
        "virtualRouterIp": f"{head}.{int(last) + 1}",
        "virtualRouterMac": f"00:00:17:{mac[:2]}:{mac[2:4]}:{mac[4:]}".upper(),
        "routeTableId": inputs.get("routeTableId") or ocid("routetable", vcn_id),
        "dhcpOptionsId": inputs.get("dhcpOptionsId") or ocid("dhcpoptions", vcn_id),
        "securityListIds": inputs.get("securityListIds") or [ocid("securitylist", vcn_id)],
    }


def security_rule(_inputs: Mapping[str, Any], _resource_id: str) -> Properties:
    """A rule is valid until the group it names goes."""
    return {"isValid": True, "timeCreated": TIME_CREATED}


def policy(inputs: Mapping[str, Any], resource_id: str) -> Properties:
    """Hashes by which the provider sees that statements were changed elsewhere."""
    statements = "\n".join(inputs.get("statements", []))
    etag = digest(f"{resource_id}{statements}", 40)
    return {"ETag": etag, "lastUpdateETag": etag, "policyHash": digest(statements, 32)}
