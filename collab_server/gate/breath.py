"""Between two structs of many, other threads have their turn.

Interpreted code gives the interpreter's lock to whoever waits for it; what mypyc makes never does by itself, and a
large document is read in a thread beside an event loop. So this one module stays as it is (compile.py).
"""

BREATH = 511
"""After so many structs and one, as a mask: some 0.5 ms."""


def breathe() -> None:
    """Be interpreted for a moment."""
