"""Emulated clouds on one machine: no account and no network."""
