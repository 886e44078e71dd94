"""The Kubernetes side of an emulated cluster: real control plane, kwok nodes, process pods."""
