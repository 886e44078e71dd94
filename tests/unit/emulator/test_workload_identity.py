"""Workload identity: from a ServiceAccount token to what policies let its pods do, by the real signer."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oci
import pytest

from emulator.oci import account
from tests.support.fake_kube import TOKEN, service_account_token
from tests.support.oracle import Ground, Oracle, cluster_details, pool_details

NEEDS = ("manage cluster-node-pools", "manage instance-family", "use subnets", "use vnics")
NATIVE_NEEDS = (*NEEDS, "use network-security-groups", "use private-ips")

Enter = Callable[[str], Any]


@pytest.fixture
def enter(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Enter:
    """A container engine client of the pods that have this token, in the environment that the cloud gives."""

    def signed(token: str) -> Any:
        hooks = oracle.kubes[0].hooks
        assert hooks is not None
        for name, value in hooks.process_environment("rightsize-system", "provisioner").items():
            monkeypatch.setenv(name, value)
        signer = oci.auth.signers.get_oke_workload_identity_resource_principal_signer(
            service_account_token=token, retry_strategy=oci.retry.NoneRetryStrategy()
        )
        return oracle.engine(signer=signer)

    return signed


def allow(oracle: Oracle, cluster: str, *grants: str, account_name: str = "provisioner") -> None:
    statements = [
        f"Allow any-user to {grant} in compartment id {account.COMPARTMENT} where ALL "
        "{request.principal.type='workload', request.principal.namespace='rightsize-system', "
        f"request.principal.service_account='{account_name}', request.principal.cluster_id='{cluster}'}}"
        for grant in grants
    ]
    oracle.identity().create_policy(
        oci.identity.models.CreatePolicyDetails(
            compartment_id=account.COMPARTMENT, name="p", description="d", statements=statements
        )
    )


def status_of(call: Callable[[], Any]) -> int:
    try:
        return int(call().status)
    except oci.exceptions.ServiceError as refusal:
        return int(refusal.status)


def test_a_workload_may_do_what_a_policy_grants_and_nothing_else(
    oracle: Oracle, place: Ground, cluster: str, enter: Enter
) -> None:
    workload = enter(TOKEN)
    calls: dict[str, Callable[[], Any]] = {
        "list": lambda: workload.list_node_pools(account.COMPARTMENT, cluster_id=cluster),
        "create": lambda: workload.create_node_pool(pool_details(oracle, place, cluster)),
        "read": lambda: workload.get_cluster(cluster),
        "delete": lambda: workload.delete_cluster(cluster),
    }
    assert {name: status_of(call) for name, call in calls.items()} == dict.fromkeys(calls, 404)
    allow(oracle, cluster, *NATIVE_NEEDS)
    del calls["delete"]
    assert {name: status_of(call) for name, call in calls.items()} == {
        "list": 200,
        "create": 202,
        "read": 404,
    }


@pytest.mark.parametrize("missing", NATIVE_NEEDS)
def test_every_right_that_launching_needs_is_asked_for(
    oracle: Oracle, place: Ground, cluster: str, enter: Enter, missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    allow(oracle, cluster, *(need for need in NATIVE_NEEDS if need != missing))
    workload = enter(TOKEN)
    assert status_of(lambda: workload.create_node_pool(pool_details(oracle, place, cluster))) == 404
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any(f" {missing} in compartment {account.COMPARTMENT}" in warning for warning in warnings)


def test_rights_of_another_service_account_do_not_help(oracle: Oracle, cluster: str, enter: Enter) -> None:
    allow(oracle, cluster, "read clusters", account_name="another")
    workload = enter(TOKEN)
    assert status_of(lambda: workload.get_cluster(cluster)) == 404


@pytest.mark.usefixtures("cluster")
def test_a_token_of_nobody_gets_no_session(enter: Enter) -> None:
    with pytest.raises(oci.exceptions.ServiceError) as refusal:
        enter(service_account_token("forged"))
    assert refusal.value.status == 401


def test_a_forged_or_stolen_session_is_refused(oracle: Oracle, cluster: str, enter: Enter) -> None:
    allow(oracle, cluster, "read clusters")
    workload = enter(TOKEN)
    assert status_of(lambda: workload.get_cluster(cluster)) == 200
    signer = workload.base_client.signer
    head, claims, signature = signer.security_token.security_token.split(".")
    forged = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged["service_account"] = "admin"
    claims = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
    stolen = oracle.engine(
        signer=oci.auth.signers.SecurityTokenSigner(signer.security_token.security_token, _another_key())
    )
    invented = oracle.engine(
        signer=oci.auth.signers.SecurityTokenSigner(f"{head}.{claims}.{signature}", signer.private_key)
    )
    assert status_of(lambda: stolen.get_cluster(cluster)) == 401
    assert status_of(lambda: invented.get_cluster(cluster)) == 401


def test_an_expired_session_is_refused_and_the_signer_gets_another(
    oracle: Oracle, cluster: str, enter: Enter
) -> None:
    allow(oracle, cluster, "read clusters")
    workload = enter(TOKEN)
    signer = workload.base_client.signer
    old = oracle.engine(
        signer=oci.auth.signers.SecurityTokenSigner(signer.security_token.security_token, signer.private_key)
    )
    assert status_of(lambda: old.get_cluster(cluster)) == 200
    oracle.clock.time += 3600
    assert status_of(lambda: old.get_cluster(cluster)) == 401
    assert status_of(lambda: workload.get_cluster(cluster)) == 200


def test_a_basic_cluster_has_no_workload_identity(oracle: Oracle, place: Ground) -> None:
    oracle.succeeded(oracle.engine().create_cluster(cluster_details(place, type="BASIC_CLUSTER")))
    hooks = oracle.kubes[0].hooks
    assert hooks is not None
    assert hooks.process_environment("a", "b") == {}


@pytest.mark.usefixtures("cluster")
def test_each_cluster_has_an_address_of_its_own(oracle: Oracle, place: Ground) -> None:
    oracle.succeeded(oracle.engine().create_cluster(cluster_details(place)))
    hosts = set()
    for kube in oracle.kubes:
        assert kube.hooks is not None
        environment = kube.hooks.process_environment("a", "b")
        hosts.add(environment["KUBERNETES_SERVICE_HOST"])
        assert Path(environment["OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH"]).exists()
    assert len(hosts) == 2
    assert all(host.startswith("127.") for host in hosts)


def test_a_request_without_credentials_is_refused(oracle: Oracle) -> None:
    import httpx

    answer = httpx.get(f"{oracle.endpoint}/20180222/clusters", params={"compartmentId": account.COMPARTMENT})
    assert (answer.status_code, answer.json()["code"]) == (401, "NotAuthenticated")


def _another_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
