"""Inputs of every resource and arguments of every function of Google Cloud that the model knows."""

from typing import Any

PROJECT = "emulated-project"
CLUSTER = {"project": PROJECT, "location": "us-central1-a", "cluster": "gke"}
INPUTS: dict[str, dict[str, Any]] = {
    "gcp:compute/network:Network": {"name": "net", "project": PROJECT, "autoCreateSubnetworks": False},
    "gcp:compute/subnetwork:Subnetwork": {
        "name": "sub",
        "project": PROJECT,
        "region": "us-central1",
        "network": f"projects/{PROJECT}/global/networks/net",
        "ipCidrRange": "10.0.0.0/22",
        "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"}],
        "privateIpGoogleAccess": True,
    },
    "gcp:compute/router:Router": {"name": "r", "project": PROJECT, "region": "us-central1", "network": "net"},
    "gcp:compute/routerNat:RouterNat": {
        "name": "n",
        "project": PROJECT,
        "region": "us-central1",
        "router": "r",
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS",
        "subnetworks": [{"name": "sub", "sourceIpRangesToNats": ["ALL_IP_RANGES"]}],
    },
    "gcp:serviceaccount/account:Account": {
        "accountId": "nodes",
        "project": PROJECT,
        "displayName": "nodes of a cluster",
    },
    "gcp:serviceaccount/iAMMember:IAMMember": {
        "serviceAccountId": f"projects/{PROJECT}/serviceAccounts/nodes@{PROJECT}.iam.gserviceaccount.com",
        "role": "roles/iam.workloadIdentityUser",
        "member": f"serviceAccount:{PROJECT}.svc.id.goog[ns/ksa]",
    },
    "gcp:projects/iAMMember:IAMMember": {
        "project": PROJECT,
        "role": "roles/container.defaultNodeServiceAccount",
        "member": f"serviceAccount:nodes@{PROJECT}.iam.gserviceaccount.com",
    },
    "gcp:projects/iAMCustomRole:IAMCustomRole": {
        "project": PROJECT,
        "roleId": "provisioner",
        "title": "provisioner",
        "permissions": ["container.clusters.get"],
    },
    "gcp:artifactregistry/repository:Repository": {
        "project": PROJECT,
        "location": "us-central1",
        "repositoryId": "one",
        "format": "DOCKER",
        "description": "Images of one",
    },
    "gcp:container/cluster:Cluster": {
        "name": "gke",
        "project": PROJECT,
        "location": "us-central1-a",
        "initialNodeCount": 1,
        "removeDefaultNodePool": True,
        "network": "net",
        "subnetwork": "sub",
        "ipAllocationPolicy": {
            "clusterSecondaryRangeName": "pods",
            "servicesSecondaryRangeName": "services",
        },
        "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": False},
        "resourceLabels": {"rightsize-stack": "gke"},
        "deletionProtection": False,
    },
    "gcp:container/nodePool:NodePool": {
        **CLUSTER,
        "name": "management",
        "nodeCount": 2,
        "nodeLocations": ["us-central1-a"],
        "nodeConfig": {
            "machineType": "t2a-standard-2",
            "labels": {"a": "b"},
            "taints": [{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}],
            "taintConfig": {"architectureTaintBehavior": "NONE"},
            "guestAccelerators": [
                {
                    "type": "nvidia-tesla-t4",
                    "count": 1,
                    "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
                }
            ],
        },
    },
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "gcp:container/getEngineVersions:getEngineVersions": {"location": "us-central1", "project": PROJECT},
    "gcp:compute/getZones:getZones": {"region": "us-central1", "project": PROJECT, "status": "UP"},
    "gcp:compute/getNetwork:getNetwork": {"name": "net", "project": PROJECT},
    "gcp:compute/getSubnetwork:getSubnetwork": {"name": "sub", "region": "us-central1", "project": PROJECT},
}
