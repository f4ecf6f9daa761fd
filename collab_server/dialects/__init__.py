"""The room's vocabulary in the words of each kind of client."""
