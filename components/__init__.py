"""What a stack is made of: one Pulumi ComponentResource a file, and the pure data behind them."""
