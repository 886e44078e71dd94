"""Decisions on values: no clock, no network, no randomness; everything is an argument."""
