"""Pulumi resource providers of the emulated clouds, and their model of what a cloud answers."""
