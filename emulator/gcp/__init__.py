"""The emulated Google cloud: GKE, Compute Engine and IAM, as the real SDK clients call them."""
