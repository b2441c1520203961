"""What intermediaries let through."""
