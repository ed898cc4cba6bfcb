"""What one visitor, or a crowd of them, can try against a server, and whether the others notice."""
