"""The control socket: the shared clock and the project's shared transport."""
