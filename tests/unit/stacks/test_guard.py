from typing import Any

import pytest

from stacks.faults import StackError
from stacks.settings import parse
from tests.support.certificates import self_signed
from tests.support.settings import settings, values

TOKEN = "0123456789abcdef0123456789abcdef"
CERTIFICATE, KEY = self_signed()


def faults_of(changes: dict[str, Any]) -> list[str]:
    with pytest.raises(StackError) as caught:
        parse(values(changes))
    return str(caught.value).splitlines()


def tls(certificate: str = CERTIFICATE, key: str = KEY) -> dict[str, Any]:
    return {"serving.tls": {"certificate": certificate, "key": key}}


def test_nothing_is_guarded_unless_it_is_said() -> None:
    guard = settings().serving.guard
    assert (guard.scheme, guard.files) == ("http", {})


def test_a_certificate_with_its_key_makes_it_https() -> None:
    guard = settings({**tls(), "serving.token": TOKEN}).serving.guard
    assert guard.scheme == "https"
    assert guard.files == {"tls.crt": CERTIFICATE, "tls.key": KEY, "token": TOKEN}


def test_another_token_is_another_guard() -> None:
    one, other = (settings({"serving.token": TOKEN + end}).serving.guard for end in "ab")
    assert one.checksum != other.checksum


def test_secrets_are_not_shown() -> None:
    shown = repr(settings({**tls(), "serving.token": TOKEN}))
    assert TOKEN not in shown
    assert "PRIVATE KEY" not in shown


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"serving.tokn": "hunter2"}, "serving.tokn is an unknown key; did you mean 'token'?"),
        ({"token": "hunter2"}, "token is an unknown key"),
        ({"servin": {"token": "hunter2"}}, "servin is an unknown key; did you mean 'serving'?"),
        ({"serving.tls": "hunter2"}, "serving.tls must be an object"),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(changes: dict[str, Any], fault: str) -> None:
    (line,) = faults_of(changes)
    assert line.startswith(fault)
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"serving.token": "hunter2"}, "serving.token: '(a secret)' must be 32 to 512 letters"),
        ({"serving.token": ["hunter2"]}, "serving.token: '(a secret)' must be a string"),
        ({"serving.token": "hunter2 " * 8}, "serving.token: '(a secret)' must be 32 to 512 letters"),
        (tls(key=""), "serving.tls.key is not set: it must be there"),
        (tls(certificate=""), "serving.tls.certificate is not set: it must be there"),
        (tls(certificate="hunter2"), "serving.tls.certificate: '(a secret)' must be PEM"),
        (tls(key="hunter2"), "serving.tls.key: '(a secret)' must be an RSA key in PKCS#8"),
        (tls(*self_signed("ec")), "serving.tls.key: '(a secret)' must be an RSA key in PKCS#8"),
        (tls(key=self_signed("rsa", 2)[1]), "serving.tls.key: '(a secret)' must be the certificate's"),
    ],
    ids=[
        "short",
        "no text",
        "spaces",
        "no key",
        "no certificate",
        "no PEM",
        "no key at all",
        "not RSA",
        "another's",
    ],
)
def test_what_cannot_guard_is_refused_and_not_repeated(changes: dict[str, Any], fault: str) -> None:
    (found,) = faults_of(changes)
    assert found.startswith(fault)
    assert "hunter2" not in found


def test_an_unknown_key_of_tls_is_a_fault() -> None:
    (found,) = faults_of({"serving.tls": {"certificate": CERTIFICATE, "key": KEY, "cipher": "x"}})
    assert found.startswith("serving.tls.cipher")
