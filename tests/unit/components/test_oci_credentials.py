from pathlib import Path

import pytest

from components.credentials import CredentialsMissing
from components.oci_credentials import find

SETTINGS = {
    "tenancyOcid": "ocid1.tenancy.oc1..a",
    "userOcid": "ocid1.user.oc1..a",
    "fingerprint": "aa:bb",
    "region": "us-ashburn-1",
    "privateKey": "PEM",
}
NO_FILE = {"OCI_CONFIG_FILE": "/nonexistent/oci-config"}
PROFILES = """
[DEFAULT]
user=ocid1.user.oc1..file
fingerprint=cc:dd
tenancy=ocid1.tenancy.oc1..file
region=us-phoenix-1
key_file={key}
[OTHER]
region=eu-frankfurt-1
"""


def nothing(_key: str) -> None:
    return None


@pytest.fixture
def file(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "config"
    key = tmp_path / "key.pem"
    key.write_text("PEM of the file")
    path.write_text(PROFILES.format(key=key))
    return {"OCI_CONFIG_FILE": str(path)}


def test_the_stacks_settings_come_first(file: dict[str, str]) -> None:
    found = find(SETTINGS.get, {**file, "TF_VAR_region": "uk-london-1"})
    assert found.config == {
        "tenancy": "ocid1.tenancy.oc1..a",
        "user": "ocid1.user.oc1..a",
        "fingerprint": "aa:bb",
        "region": "us-ashburn-1",
        "key_content": "PEM",
    }
    assert found.signer() is None


def test_then_the_environment() -> None:
    environment = {
        "TF_VAR_tenancy_ocid": "ocid1.tenancy.oc1..e",
        "OCI_USER_OCID": "ocid1.user.oc1..e",
        "TF_VAR_fingerprint": "ee:ee",
        "OCI_REGION": "uk-london-1",
        "TF_VAR_private_key_path": "/key.pem",
    }
    found = find(nothing, {**NO_FILE, **environment})
    assert (found.config["tenancy"], found.config["region"]) == ("ocid1.tenancy.oc1..e", "uk-london-1")
    assert found.config["key_file"] == "/key.pem"


def test_then_the_file(file: dict[str, str]) -> None:
    assert find(nothing, file).config["user"] == "ocid1.user.oc1..file"
    other = find({"configFileProfile": "OTHER", "region": "us-ashburn-1"}.get, file)
    assert other.config["region"] == "us-ashburn-1"


def test_an_unknown_profile_is_named(file: dict[str, str]) -> None:
    with pytest.raises(CredentialsMissing, match="NOWHERE"):
        find({"configFileProfile": "NOWHERE"}.get, file)


def test_a_file_whose_key_is_gone_is_a_clear_fault(file: dict[str, str]) -> None:
    Path(file["OCI_CONFIG_FILE"]).with_name("key.pem").unlink()
    with pytest.raises(CredentialsMissing, match="key_file"):
        find(nothing, file)


def test_nothing_anywhere_says_what_is_missing() -> None:
    with pytest.raises(CredentialsMissing, match="oci:tenancyOcid, oci:region: neither"):
        find(nothing, NO_FILE)


def test_an_instance_needs_no_key() -> None:
    found = find({"auth": "InstancePrincipal", "region": "us-ashburn-1"}.get, NO_FILE)
    assert (found.auth, found.config) == ("InstancePrincipal", {"region": "us-ashburn-1"})


def test_secrets_are_not_shown() -> None:
    assert "PEM" not in repr(find(SETTINGS.get, NO_FILE))
