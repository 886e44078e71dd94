"""IAM and workload identity: from a ServiceAccount's metadata server to what roles let its pods do."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth.transport import requests
from google.cloud import compute_v1
from google.oauth2 import service_account

from emulator.gcp.account import PROJECT
from emulator.gcp.authority import key_of_owner
from tests.support.google_cloud import ZONE, Client, Google, a_cluster, a_pool, group_of, pool_message

IAM = f"/v1/projects/{PROJECT}"
EMAIL = f"provisioner@{PROJECT}.iam.gserviceaccount.com"
NODES = f"nodes-of@{PROJECT}.iam.gserviceaccount.com"
KSA = f"serviceAccount:{PROJECT}.svc.id.goog[rightsize-system/provisioner]"
PERMISSIONS = (
    "container.clusters.get",
    "container.clusters.list",
    "container.clusters.update",
    "container.operations.get",
    "container.operations.list",
    "compute.instanceGroupManagers.get",
    "compute.instanceGroupManagers.list",
    "compute.instanceGroupManagers.update",
    "compute.instances.get",
    "compute.instances.list",
    "compute.zoneOperations.get",
    "compute.machineTypes.list",
)


def bind(google: Client, resource: str, role: str, member: str) -> Any:
    """Read, add, write, as a Pulumi plugin does."""
    policy = google.call("POST", f"{resource}:getIamPolicy")
    bindings = [*policy.get("bindings", []), {"role": role, "members": [member]}]
    return google.call("POST", f"{resource}:setIamPolicy", {"policy": {**policy, "bindings": bindings}})


def account(google: Client, name: str) -> str:
    made = google.call("POST", f"{IAM}/serviceAccounts", {"accountId": name, "serviceAccount": {}})
    return str(made["email"])


@pytest.fixture
def equipped(google: Google, cluster: str) -> str:
    """The provisioner's account with a custom role, its ServiceAccount annotated; returns the cluster."""
    account(google, "provisioner")
    account(google, "nodes-of")
    role = {"title": "p", "includedPermissions": list(PERMISSIONS), "stage": "GA"}
    google.call("POST", f"{IAM}/roles", {"roleId": "provisioner", "role": role})
    bind(google, IAM, f"projects/{PROJECT}/roles/provisioner", f"serviceAccount:{EMAIL}")
    bind(google, f"{IAM}/serviceAccounts/{EMAIL}", "roles/iam.workloadIdentityUser", KSA)
    annotate(google, EMAIL)
    return cluster


def annotate(google: Google, email: str) -> None:
    annotations = {"iam.gke.io/gcp-service-account": email}
    google.kubes[0].annotations[("rightsize-system", "provisioner")] = annotations


def environment(google: Google, name: str = "provisioner") -> dict[str, str]:
    hooks = google.kubes[0].hooks
    assert hooks is not None
    return dict(hooks.process_environment("rightsize-system", name))


def ask(google: Google, what: str = "token", name: str = "provisioner") -> httpx.Response:
    """What the metadata server of the pods says."""
    address = environment(google, name)["GCE_METADATA_HOST"]
    url = f"http://{address}/computeMetadata/v1/instance/service-accounts/default/{what}"
    return httpx.get(url, headers={"Metadata-Flavor": "Google"})


def workload(google: Google) -> Client:
    return Client(google.endpoint, ask(google).json()["access_token"])


def code_of(call: Callable[[], Any]) -> int:
    try:
        call()
    except exceptions.GoogleAPICallError as refusal:
        return int(refusal.code or 0)
    return 200


def test_the_sdk_finds_its_credentials_in_the_pods_environment(google: Google, equipped: str) -> None:
    program = (
        "import google.auth, google.auth.transport.requests as r, json\n"
        "found, project = google.auth.default(['https://www.googleapis.com/auth/cloud-platform'])\n"
        "found.refresh(r.Request())\n"
        "print(json.dumps([type(found).__module__, project, found.service_account_email, found.token]))\n"
    )
    given = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment(google)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    module, project, email, token = json.loads(done.stdout)
    assert (module, project, email) == ("google.auth.compute_engine.credentials", PROJECT, EMAIL)
    assert Client(google.endpoint, token).engine().get_cluster(name=equipped).name == "gke"


def test_a_workload_may_do_what_its_role_says_and_nothing_else(google: Google, equipped: str) -> None:
    config = {"service_account": NODES}
    bind(google, f"{IAM}/serviceAccounts/{NODES}", "roles/iam.serviceAccountUser", f"serviceAccount:{EMAIL}")
    pods = workload(google)
    pool = a_pool(pods, equipped, config=config)
    group = group_of(pods, pool)
    place = {"project": PROJECT, "zone": ZONE}
    assert pods.groups().get(**place, instance_group_manager=group).target_size == 1
    assert list(pods.groups().list_managed_instances(**place, instance_group_manager=group))
    assert list(pods.compute(compute_v1.InstancesClient).list(**place))
    assert list(pods.compute(compute_v1.MachineTypesClient).list(**place))
    assert code_of(lambda: pods.engine().delete_cluster(name=equipped)) == 403
    refused = pods.call("POST", f"/compute/v1/projects/{PROJECT}/global/networks", {"name": "n"})
    assert refused["error"]["status"] == "PERMISSION_DENIED"
    assert "compute.networks.create" in refused["error"]["message"]


@pytest.mark.parametrize("missing", ["container.clusters.update", "container.operations.get"])
def test_every_right_is_asked_for_and_what_is_missing_is_logged(
    google: Google, equipped: str, missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    bind(google, f"{IAM}/serviceAccounts/{NODES}", "roles/iam.serviceAccountUser", f"serviceAccount:{EMAIL}")
    kept = [permission for permission in PERMISSIONS if permission != missing]
    google.call("PATCH", f"{IAM}/roles/provisioner", {"includedPermissions": kept})
    pods = workload(google)
    assert code_of(lambda: a_pool(pods, equipped, config={"service_account": NODES})) == 403
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any(EMAIL in warning and f"lacks {missing}" in warning for warning in warnings)


def test_nodes_act_as_an_account_that_their_maker_may_use(google: Google, equipped: str) -> None:
    message = pool_message(config={"service_account": NODES})
    engine = workload(google).engine()
    with pytest.raises(exceptions.Forbidden, match=r"iam\.serviceAccountUser"):
        engine.create_node_pool(parent=equipped, node_pool=message)


def test_without_the_workload_identity_role_there_is_no_token(
    google: Google, equipped: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert equipped
    google.call("POST", f"{IAM}/serviceAccounts/{EMAIL}:setIamPolicy", {"policy": {}})
    refused = ask(google)
    assert refused.status_code == 403
    assert "iam.serviceAccounts.getAccessToken" in refused.text
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any(KSA in warning and "roles/iam.workloadIdentityUser" in warning for warning in warnings)


def test_without_an_annotation_pods_are_themselves_and_may_do_nothing(google: Google, equipped: str) -> None:
    google.kubes[0].annotations[("rightsize-system", "provisioner")] = {}
    pods = workload(google)
    assert code_of(lambda: pods.engine().get_cluster(name=equipped)) == 403
    bind(google, IAM, "roles/container.clusterViewer", KSA)
    assert code_of(lambda: pods.engine().get_cluster(name=equipped)) == 200


def test_a_service_account_that_does_not_exist_gets_nothing(google: Google, equipped: str) -> None:
    assert equipped
    assert ask(google, name="stranger").status_code == 404


def test_each_service_account_has_a_metadata_server_of_its_own(google: Google, equipped: str) -> None:
    assert equipped
    assert environment(google) == environment(google)
    assert environment(google) != environment(google, "other")
    address = environment(google)["GCE_METADATA_HOST"]
    assert httpx.get(f"http://{address}/").headers["Metadata-Flavor"] == "Google"
    assert httpx.get(f"http://{address}/computeMetadata/v1/project/project-id").status_code == 403


def test_a_cluster_without_workload_identity_has_no_metadata_server(google: Google) -> None:
    a_cluster(google, workload_identity_config={})
    assert environment(google) == {}


def test_an_expired_or_invented_token_is_refused(google: Google, equipped: str) -> None:
    pods, invented = workload(google), Client(google.endpoint, "ya29.emulated-0000")
    assert pods.call("GET", f"/v1/{equipped}")["name"] == "gke"
    google.clock.time += 3601
    for refused in (pods, invented):
        assert refused.call("GET", f"/v1/{equipped}")["error"]["status"] == "UNAUTHENTICATED"


def test_a_request_without_credentials_is_refused(google: Google) -> None:
    answer = httpx.get(f"{google.endpoint}{IAM}")
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_the_owners_key_gets_tokens_and_signs_by_itself(google: Google) -> None:
    info = json.loads(key_of_owner(google.endpoint))
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    key = service_account.Credentials.from_service_account_info(info, scopes=scopes)  # type: ignore[no-untyped-call]
    key.refresh(requests.Request())
    signing = key.with_always_use_jwt_access(True)
    signing.refresh(requests.Request())
    for token in (key.token, signing.token):
        assert Client(google.endpoint, token).call("GET", IAM)["projectId"] == PROJECT
    other = json.loads(key_of_owner(google.endpoint)) | {"client_email": EMAIL}
    stranger = service_account.Credentials.from_service_account_info(other, scopes=scopes)  # type: ignore[no-untyped-call]
    with pytest.raises(auth_exceptions.RefreshError, match="has no key"):
        stranger.refresh(requests.Request())


def test_the_token_endpoint_takes_only_the_owners_assertions(google: Google) -> None:
    answer = httpx.post(f"{google.endpoint}/token", data={"grant_type": "password"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_an_identity_pool_comes_with_the_first_cluster_that_uses_it(google: Google) -> None:
    account(google, "provisioner")
    resource = f"{IAM}/serviceAccounts/{EMAIL}"
    early = bind(google, resource, "roles/iam.workloadIdentityUser", KSA)
    assert "Identity Pool does not exist" in early["error"]["message"]
    a_cluster(google)
    assert bind(google, resource, "roles/iam.workloadIdentityUser", KSA)["bindings"]


def test_whoever_reads_an_old_policy_cannot_write_it(google: Google) -> None:
    old = google.call("POST", f"{IAM}:getIamPolicy")
    account(google, "provisioner")
    bind(google, IAM, "roles/container.viewer", f"serviceAccount:{EMAIL}")
    refused = google.call("POST", f"{IAM}:setIamPolicy", {"policy": old})
    assert (refused["error"]["code"], refused["error"]["status"]) == (409, "ABORTED")


@pytest.mark.parametrize(
    ("binding", "said"),
    [
        ({"role": "roles/nonsense", "members": []}, "roles/nonsense"),
        ({"role": "roles/viewer", "members": ["somebody"]}, "Invalid member 'somebody'"),
        ({"role": "roles/viewer", "members": [f"serviceAccount:{EMAIL}"]}, "does not exist"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_reason(google: Google, binding: Any, said: str) -> None:
    refused = google.call("POST", f"{IAM}:setIamPolicy", {"policy": {"bindings": [binding]}})
    assert said in refused["error"]["message"]


def test_service_accounts_and_roles_are_made_shown_changed_and_deleted(google: Google) -> None:
    email = account(google, "somebody")
    one = f"{IAM}/serviceAccounts/{email}"
    google.call("PATCH", one, {"serviceAccount": {"displayName": "S"}, "updateMask": "displayName"})
    assert google.call("GET", one)["displayName"] == "S"
    assert email in {each["email"] for each in google.call("GET", f"{IAM}/serviceAccounts")["accounts"]}
    google.call("DELETE", one)
    assert google.call("GET", one)["error"]["code"] == 404
    role = {"title": "t", "includedPermissions": ["container.clusters.get"]}
    assert google.call("POST", f"{IAM}/roles", {"roleId": "r_1", "role": role})["stage"] == "GA"
    assert google.call("POST", f"{IAM}/roles", {"roleId": "r_1", "role": role})["error"]["code"] == 409
    google.call("DELETE", f"{IAM}/roles/r_1")
    assert google.call("GET", f"{IAM}/roles/r_1")["deleted"]
    assert google.call("GET", f"{IAM}/roles") == {"roles": []}
    assert not google.call("POST", f"{IAM}/roles/r_1:undelete").get("deleted")


def test_the_project_is_shown_and_no_other(google: Google) -> None:
    assert google.call("GET", IAM)["projectNumber"] == "123456789012"
    assert google.call("GET", "/v1/projects/another")["error"]["code"] == 404
