"""The provisioner's own settings, read as it reads them: what it may buy, and by which policy.

Imported only by what measures: reading them loads the provisioner's clients.
"""

from dataclasses import dataclass

from experiments.fault import Fault
from provisioner import startup
from provisioner.core.market import Catalog
from provisioner.core.policy import Policy
from provisioner.settings import PolicySettings, SettingsError, parse_policy


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides, beside pods and nodes."""

    catalog: Catalog
    policy: Policy


def terms_of(text: str) -> Terms:
    """The terms in a provisioner's settings.

    Raises:
        Fault: when they are not whole, or of another version.
    """
    source = "the provisioner's settings"
    try:
        told = parse_policy(text, source)
    except SettingsError as error:
        raise Fault("; ".join(str(error).splitlines())) from error
    if isinstance(told, PolicySettings):
        raise Fault(f"{source}: cloud is missing")
    return Terms(startup.market(told), told.policy.policy())
