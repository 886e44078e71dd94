"""The pinned binaries: one Go module each, and the bootstrap that builds what is missing."""
