"""What can go wrong before the studio is open."""


class LaunchError(Exception):
    """One clear sentence for the person at the terminal; the launcher prints it and exits with code 2."""
