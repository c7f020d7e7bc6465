"""What only a running `fit` knows, and how it ends."""
