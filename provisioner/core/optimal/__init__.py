"""The packing kernel: the cheapest set of nodes for many pods, with a bound below it. Knows no clouds."""
