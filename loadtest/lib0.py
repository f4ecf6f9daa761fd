"""lib0's numbers and strings, as Yjs and its protocols write them."""


def varuint(number: int) -> bytes:
    """7 bits a byte, little end first."""
    if number < 128:
        return bytes((number,))
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def varstring(text: bytes) -> bytes:
    """The number of UTF-8 bytes, then the bytes."""
    return varuint(len(text)) + text


def read_varuint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where it ends. Raises IndexError at the end of the data."""
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7


def read_vectors(data: bytes) -> dict[int, int]:
    """A state vector: client → clock behind its last struct."""
    count, at = read_varuint(data, 0)
    vector = {}
    for _ in range(count):
        client, at = read_varuint(data, at)
        vector[client], at = read_varuint(data, at)
    return vector
