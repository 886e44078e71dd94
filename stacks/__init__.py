"""Composition: settings in, one cloud's components put together, the same exports out."""
