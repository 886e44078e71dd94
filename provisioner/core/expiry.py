"""How old a bought node may become: an operator may want none to run for ever, whatever is on it."""

from datetime import datetime, timedelta

from provisioner.core.model import Node
from provisioner.core.policy import Policy


def why_expired(node: Node, policy: Policy, now: datetime) -> str:
    """Why the node is too old; empty when it is not, or when nodes may become as old as they like."""
    if policy.expire_after_s is None or node.created is None:
        return ""
    allowed = timedelta(seconds=policy.expire_after_s)
    if now - node.created < allowed:
        return ""
    return f"it is there since {node.created:%Y-%m-%d %H:%M:%S}, and nodes are kept for {allowed}"
