"""The published experiment, run again: operating points, load, steady state, cost tables."""
