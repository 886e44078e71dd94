"""Shapes, prices and the vocabulary every room shares; imports nothing of the project."""
