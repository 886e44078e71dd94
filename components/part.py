"""What every component shares: its type, and dependencies that reach its children.

The engine does not hand a component's `depends_on` to its children, and only children are created,
so each child is told itself.
"""

from collections.abc import Sequence

import pulumi


class Part(pulumi.ComponentResource):
    """A component whose children wait for what the component waits for.

    Its kind is a room and a noun, such as `oke:Network` or `kubernetes:ModelServer`.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        *,
        after: Sequence[pulumi.Resource] = (),
        provider: pulumi.ProviderResource | None = None,
    ) -> None:
        super().__init__(
            f"rightsize:{kind}",
            name,
            None,
            pulumi.ResourceOptions(providers=[provider] if provider else None),
        )
        self._after = tuple(after)

    def child(self, *after: pulumi.Resource, **options: object) -> pulumi.ResourceOptions:
        """Options of a child: after the component's own dependencies and those given here."""
        merged = pulumi.ResourceOptions(parent=self, depends_on=[*self._after, *after])
        return pulumi.ResourceOptions.merge(merged, pulumi.ResourceOptions(**options))  # type: ignore[arg-type]
