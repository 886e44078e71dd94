"""Buys the cheapest nodes for pending pods and gives them back; runs in the cluster it serves."""
