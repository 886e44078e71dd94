"""What every emulated cloud needs: ids, time, errors, a meter and a bill."""
