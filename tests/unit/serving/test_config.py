from components.model_manifests import Server, config_properties
from serving.environment import ROOT

IMAGES = ROOT / "serving" / "config.properties"
OF_THE_POD = {"load_models", "number_of_gpu", "vmargs"}


def parsed(text: str) -> dict[str, str]:
    rows = (line.partition("=") for line in text.splitlines() if line and not line.startswith("#"))
    return {key: value for key, _, value in rows}


def test_an_image_alone_is_configured_as_in_the_cluster() -> None:
    server = Server("squeezenet1_1", "image", "squeezenet1_1.mar", {}, 400, 10**9, 0, 4)
    declared, alone = parsed(config_properties(server)), parsed(IMAGES.read_text())

    common = declared.keys() - OF_THE_POD
    assert {key: alone[key] for key in common} == {key: declared[key] for key in common}


def test_only_predictions_leave_the_container() -> None:
    addresses = {key: value for key, value in parsed(IMAGES.read_text()).items() if "address" in key}

    assert addresses.pop("inference_address") == "http://0.0.0.0:8080"
    assert all("127.0.0.1" in value for value in addresses.values())
