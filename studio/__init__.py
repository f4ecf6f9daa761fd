"""The studio document, pure: its schema, its repair, musical time, order, roles. No clock, no randomness, no I/O."""
