"""Models behind a token and https, on both clouds."""

import base64
from typing import Any

from tests.infra.both_clouds import BOTH, SECRET, Run
from tests.support.certificates import self_signed
from tests.support.every_variant import CONFIG_MAP, DEPLOYMENT, SERVICE, pod_of
from tests.support.mocks import Cloud
from tests.support.stacks import run

TOKEN = "0123456789abcdef0123456789abcdef"
CERTIFICATE, KEY = self_signed()
GUARDED = {"serving.token": TOKEN, "serving.tls": {"certificate": CERTIFICATE, "key": KEY}}


def container(stack: Cloud) -> Any:
    return pod_of(stack.one(DEPLOYMENT, "vgg16"))["containers"][0]


@BOTH
def test_the_files_come_in_a_secret_and_nothing_else_has_them(build: Run) -> None:
    stack = build(GUARDED)
    secret = stack.one(SECRET)
    files = {name: base64.b64decode(text).decode() for name, text in secret.inputs["data"].items()}
    assert files == {"tls.crt": CERTIFICATE, "tls.key": KEY, "token": TOKEN}
    assert secret.secrets == {"data"}
    others = [str(one.inputs) for one in stack.declared if one is not secret and one.custom]
    assert not [text for text in others if TOKEN in text or KEY[40:80] in text]
    assert all(stack.reaches(deployment, secret) for deployment in stack.all(DEPLOYMENT))


@BOTH
def test_models_answer_by_https_with_the_mounted_key(build: Run) -> None:
    stack = build(GUARDED)
    config = stack.one(CONFIG_MAP, "vgg16").inputs["data"]["config.properties"].splitlines()
    assert "inference_address=https://0.0.0.0:8080" in config
    assert "management_address=http://127.0.0.1:8081" in config
    assert "private_key_file=/etc/serving/tls.key" in config
    mounts = {row["mountPath"]: row["name"] for row in container(stack)["volumeMounts"]}
    assert mounts["/etc/serving"] == "guard"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(stack)[probe]["httpGet"]["scheme"] == "HTTPS"
    assert stack.one(SERVICE, "vgg16").inputs["spec"]["ports"][0]["name"] == "https"
    assert stack.exports["endpoints"]["vgg16"].startswith("https://")


@BOTH
def test_the_server_is_told_where_the_token_is(build: Run) -> None:
    stack = build({"serving.token": TOKEN})
    environment = {row["name"]: row["value"] for row in container(stack)["env"]}
    assert environment["RIGHTSIZE_TOKEN_FILE"] == "/etc/serving/token"
    assert stack.exports["endpoints"]["vgg16"].startswith("http://")


def test_another_token_replaces_the_pods() -> None:
    def checksum(token: str) -> str:
        template = run({"serving.token": token}).one(DEPLOYMENT, "vgg16").inputs["spec"]["template"]
        return str(template["metadata"]["annotations"]["rightsize.io/guard-checksum"])

    assert checksum(TOKEN) != checksum(TOKEN[::-1])


@BOTH
def test_without_a_guard_there_is_no_trace_of_one(build: Run) -> None:
    stack = build()
    assert not stack.all(SECRET)
    assert "scheme" not in container(stack)["startupProbe"]["httpGet"]
    assert "guard" not in str(stack.one(DEPLOYMENT, "vgg16").inputs)
