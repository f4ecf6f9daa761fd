"""A document's past as people think of it: who did what in one go, on which track, and who is behind a difference."""
