"""What only a GKE stack has."""
