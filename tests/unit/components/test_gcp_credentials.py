import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from components.credentials import CredentialsMissing
from components.gcp_credentials import SCOPES, find

EMAIL = "deployer@emulated-project.iam.gserviceaccount.com"


def nothing(_key: str) -> None:
    return None


@pytest.fixture(scope="module")
def key() -> str:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "client_email": EMAIL,
            "private_key": private.decode(),
            "token_uri": "http://127.0.0.1:4000/token",
        }
    )


@pytest.fixture
def no_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


def test_a_key_in_the_stacks_settings_is_taken(key: str) -> None:
    found = find({"credentials": key}.get, {"GOOGLE_CREDENTIALS": "/nonexistent"})
    assert found.service_account_email == EMAIL
    assert tuple(found.scopes) == SCOPES


def test_a_key_may_be_the_path_of_its_file(key: str, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(key)
    assert find({"credentials": str(path)}.get, {}).service_account_email == EMAIL


@pytest.mark.parametrize("name", ["GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON", "GCLOUD_KEYFILE_JSON"])
def test_a_key_in_the_environment_is_taken(key: str, name: str) -> None:
    assert find(nothing, {name: key}).service_account_email == EMAIL


def test_a_token_comes_before_a_key(key: str) -> None:
    assert find({"accessToken": "t", "credentials": key}.get, {}).token == "t"
    assert find(nothing, {"GOOGLE_OAUTH_ACCESS_TOKEN": "u", "GOOGLE_CREDENTIALS": key}).token == "u"


def test_a_users_own_login_is_taken() -> None:
    login = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}
    assert find({"credentials": json.dumps(login)}.get, {}).refresh_token == "r"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{", "expected a key as JSON whose type is service_account or authorized_user"),
        ('{"type": "external_account"}', "give other kinds by GOOGLE_APPLICATION_CREDENTIALS"),
        ('{"type": "service_account"}', "the key cannot be used"),
        ("/nonexistent/key.json", "'/nonexistent/key.json' is neither a key nor a readable file"),
    ],
)
def test_what_cannot_be_used_is_said_with_the_settings_name(value: str, said: str) -> None:
    with pytest.raises(CredentialsMissing, match="gcp:credentials") as caught:
        find({"credentials": value}.get, {})
    assert said in str(caught.value)


@pytest.mark.usefixtures("no_default")
def test_none_at_all_is_said_with_a_way_out() -> None:
    with pytest.raises(CredentialsMissing, match="gcloud auth application-default login"):
        find(nothing, {})
