"""Who calls an API."""

from dataclasses import dataclass

from emulator.gcp.account import OWNER


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller, by the member of policies that it is."""

    member: str
    """For example `serviceAccount:name@project.iam.gserviceaccount.com`."""

    @property
    def email(self) -> str:
        """The member without its kind."""
        return self.member.partition(":")[2]

    @property
    def owns_everything(self) -> bool:
        """Whether it is the account's owner, whom no policy can shut out."""
        return self.email == OWNER


OWNER_PRINCIPAL = Principal(f"serviceAccount:{OWNER}")
