"""What only an OKE stack has."""
