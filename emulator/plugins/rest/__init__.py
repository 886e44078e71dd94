"""What plugins have in common that serve Pulumi's resources from an emulated cloud's REST API."""
