"""The survey of a tenancy by the SDK, at the emulated cloud and at one that refuses."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from components.oci_credentials import Credentials
from emulator.oci import account
from stacks.oke_survey import Question, Room, SurveyFailed, survey
from tests.support.oracle import Oracle, cluster_details, ground, pool_details, running_oracle
from tests.support.rest import serving

AD_1, AD_2, _ = account.AVAILABILITY_DOMAINS
CORES = "standard-a1-core-count"


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[Oracle]:
    with running_oracle(tmp_path) as oracle:
        yield oracle


def question(oracle: Oracle) -> Question:
    config = {
        "user": account.USER,
        "tenancy": account.TENANCY,
        "fingerprint": oracle.key.fingerprint,
        "region": account.REGION,
        "key_content": oracle.key.private_pem,
    }
    return Question(
        compartment=account.COMPARTMENT,
        cluster="oke-right-sized",
        limits=(CORES, "gpu2-count"),
        domains=(AD_1, AD_2),
        credentials=Credentials(config),
        endpoint=oracle.endpoint,
    )


def test_every_limit_is_read_in_every_availability_domain(oracle: Oracle) -> None:
    found = survey(question(oracle))
    assert set(found.rooms) == {(limit, domain) for limit in (CORES, "gpu2-count") for domain in (AD_1, AD_2)}
    assert set(found.rooms.values()) == {Room(account.SERVICE_LIMIT, 0)}
    assert (found.built, found.unread) == (False, ())


def test_a_cluster_that_is_there_is_seen_with_what_it_uses(oracle: Oracle) -> None:
    place = ground(oracle)
    cluster = oracle.succeeded(oracle.engine().create_cluster(cluster_details(place)))
    oracle.succeeded(oracle.engine().create_node_pool(pool_details(oracle, place, cluster)))
    found = survey(question(oracle))
    assert found.built
    assert found.rooms[CORES, AD_1] == Room(account.SERVICE_LIMIT - 2, 2)
    assert not survey(replace(question(oracle), cluster="another")).built


def test_a_cluster_that_is_gone_is_not_there(oracle: Oracle) -> None:
    cluster = oracle.succeeded(oracle.engine().create_cluster(cluster_details(ground(oracle))))
    oracle.finished(oracle.engine().delete_cluster(cluster))
    assert not survey(question(oracle)).built


def test_what_is_refused_is_said_once_and_left_out(oracle: Oracle) -> None:
    asked = replace(question(oracle), limits=("no-such-limit", CORES))
    found = survey(asked)
    assert found.unread == ("limit no-such-limit: NotAuthorizedOrNotFound (404)",)
    assert {limit for limit, _ in found.rooms} == {CORES}


def test_a_cloud_that_fails_is_one_line(oracle: Oracle) -> None:
    broken = (500, {"code": "InternalServerError", "message": "come\nback later"})
    path = f"/20190729/services/compute/limits/{CORES}/resourceAvailability"
    with serving({path: broken}) as rest, pytest.raises(SurveyFailed, match="come back later"):
        survey(replace(question(oracle), endpoint=rest.url))
    with pytest.raises(SurveyFailed) as caught:
        survey(replace(question(oracle), endpoint="http://127.0.0.1:1"))
    assert len(str(caught.value).splitlines()) == 1
