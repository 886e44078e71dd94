"""The credentials the OCI provider of the engine uses, for a client of our own beside it.

Looked for where the provider looks: the stack's `oci:*` settings, the environment
(`TF_VAR_tenancy_ocid`, `OCI_TENANCY_OCID` and the like), then a profile of `~/.oci/config`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from components.credentials import CredentialsMissing, Lookup

_KEYS: Final = {
    "tenancy": ("tenancyOcid", "tenancy_ocid"),
    "user": ("userOcid", "user_ocid"),
    "fingerprint": ("fingerprint", "fingerprint"),
    "region": ("region", "region"),
    "key_content": ("privateKey", "private_key"),
    "key_file": ("privateKeyPath", "private_key_path"),
    "pass_phrase": ("privateKeyPassword", "private_key_password"),
}
"""Key of the SDK's configuration: key of the provider's settings, name in the environment."""
_REQUIRED: Final = ("tenancy", "user", "fingerprint", "region")
_DEFAULT_FILE: Final = "~/.oci/config"
API_KEY: Final = "ApiKey"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an SDK client is built from."""

    config: Mapping[str, str] = field(repr=False)
    auth: str = API_KEY
    """ApiKey, SecurityToken, InstancePrincipal or ResourcePrincipal, as the provider names them."""

    def signer(self) -> Any:
        """The signer of this kind of credentials; none where the configuration is enough."""
        import oci

        if self.auth == "InstancePrincipal":
            return oci.auth.signers.InstancePrincipalsSecurityTokenSigner()
        if self.auth == "ResourcePrincipal":
            return oci.auth.signers.get_resource_principals_signer()
        if self.auth == "SecurityToken":
            token = Path(self.config["security_token_file"]).expanduser().read_text(encoding="utf-8")
            key = oci.signer.load_private_key_from_file(
                self.config["key_file"], self.config.get("pass_phrase")
            )
            return oci.auth.signers.SecurityTokenSigner(token, key)
        return None


def find(setting: Lookup, environment: Mapping[str, str]) -> Credentials:
    """Find the credentials.

    Args:
        setting: a key of the provider's settings without `oci:`, to its value or nothing.
        environment: the process's environment.

    Raises:
        CredentialsMissing: when a part is nowhere.
    """
    auth = setting("auth") or _from(environment, "auth") or API_KEY
    config = {
        key: value
        for key, (name, variable) in _KEYS.items()
        if (value := setting(name) or _from(environment, variable))
    }
    if auth in ("InstancePrincipal", "ResourcePrincipal"):
        return Credentials({"region": config.get("region", "")}, auth)
    complete = all(key in config for key in _REQUIRED) and ("key_content" in config or "key_file" in config)
    if not complete or auth == "SecurityToken":
        profile = setting("configFileProfile") or _from(environment, "config_file_profile") or "DEFAULT"
        config = {**_from_file(environment, profile), **config}
    missing = [key for key in ("tenancy", "region") if not config.get(key)]
    if missing:
        names = ", ".join(f"oci:{_KEYS[key][0]}" for key in missing)
        raise CredentialsMissing(
            f"{names}: neither in the stack's settings, the environment, nor {_DEFAULT_FILE}"
        )
    return Credentials(config, auth)


def _from(environment: Mapping[str, str], variable: str) -> str | None:
    return environment.get(f"TF_VAR_{variable}") or environment.get(f"OCI_{variable.upper()}")


def _from_file(environment: Mapping[str, str], profile: str) -> dict[str, str]:
    """A profile of the SDK's own file; nothing where there is no file."""
    import oci

    path = Path(environment.get("OCI_CONFIG_FILE") or environment.get("OCI_CLI_CONFIG_FILE") or _DEFAULT_FILE)
    if not path.expanduser().exists():
        return {}
    try:
        found = oci.config.from_file(str(path), profile)
    except oci.exceptions.ProfileNotFound as error:
        raise CredentialsMissing(f"{path}: {error}; set oci:configFileProfile") from error
    except oci.exceptions.ClientError as error:
        raise CredentialsMissing(str(error)) from error
    return {key: value for key, value in found.items() if isinstance(value, str) and value}
