"""One module a cloud, behind the contract of `contract.py`."""
