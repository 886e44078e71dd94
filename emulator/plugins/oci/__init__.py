"""The `oci` plugin: Pulumi's resources and functions by the emulated OCI REST APIs."""
