"""Starts everything a musician needs on one machine: database, bus, collab server and HTTP app."""
