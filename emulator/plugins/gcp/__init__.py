"""The `gcp` plugin: Pulumi's resources and functions by the emulated Google cloud's REST APIs."""
