"""What OCI's cloud controller is told of a model's load balancer."""

from typing import Final

import pulumi

from components.model_server import Front

_OCI: Final = "service.beta.kubernetes.io/oci-load-balancer"


def front(subnet_id: pulumi.Input[str], group_id: pulumi.Input[str], *, internal: bool) -> Front:
    """A load balancer in a subnet, whose rules are those of our security group."""
    return Front(
        {
            "oci.oraclecloud.com/load-balancer-type": "lb",
            "oci.oraclecloud.com/security-rule-management-mode": "None",
            "oci.oraclecloud.com/oci-network-security-groups": group_id,
            f"{_OCI}-internal": "true" if internal else "false",
            f"{_OCI}-subnet1": subnet_id,
            f"{_OCI}-shape": "flexible",
            f"{_OCI}-shape-flex-min": "10",
            f"{_OCI}-shape-flex-max": "100",
        }
    )
