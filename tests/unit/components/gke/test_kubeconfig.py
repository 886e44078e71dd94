import yaml

from components.gke.kubeconfig import document


def test_it_names_no_credential_but_a_command() -> None:
    found = yaml.safe_load(document("gke", "192.0.2.1", "Y2E="))
    assert found["clusters"][0]["cluster"] == {
        "server": "https://192.0.2.1",
        "certificate-authority-data": "Y2E=",
    }
    (user,) = found["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert found["current-context"] == found["contexts"][0]["name"] == "gke"
    assert found["contexts"][0]["context"] == {"cluster": "gke", "user": "gke"}


def test_a_dns_name_has_a_certificate_that_everybody_knows() -> None:
    found = yaml.safe_load(document("gke", "gke-1.us-central1-a.gke.goog"))
    assert found["clusters"][0]["cluster"] == {"server": "https://gke-1.us-central1-a.gke.goog"}
