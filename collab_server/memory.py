"""Giving memory back: the C library keeps what yrs frees, in pieces between what is still held."""

import ctypes


def give_back() -> None:
    """Let the system have every page that nothing is on. Takes 60 ms for each gigabyte it finds; only glibc can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
