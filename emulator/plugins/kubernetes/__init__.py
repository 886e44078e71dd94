"""Serves `pulumi_kubernetes` where the official plugin cannot be had; speaks to any real API server."""
