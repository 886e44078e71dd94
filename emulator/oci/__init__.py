"""The emulated Oracle cloud: container engine, network and identity as the `oci` SDK calls them."""
