"""Model servers: archives, handler, configuration and images of TorchServe."""
