"""Ids of entities: a prefix that says what it is, and twelve characters that nobody else will choose."""

import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id(prefix: str) -> str:
    """`<prefix>_<12 base62>`."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(12))


def client_id() -> int:
    """A fresh Yjs client id (32 bits). The smallest ones are the server's."""
    return 1024 + secrets.randbelow(2**32 - 1024)
