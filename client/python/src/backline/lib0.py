"""lib0's numbers and strings, as Yjs and its protocols write them."""


class Truncated(Exception):
    """The data end in the middle of a value."""


def varuint(number: int) -> bytes:
    """7 bits a byte, little end first; the high bit says that more follow."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def varbytes(data: bytes) -> bytes:
    """The number of bytes, then the bytes. A string is its UTF-8 bytes."""
    return varuint(len(data)) + data


class Reader:
    """Reads values one after the other. Everything raises Truncated at the end of the data."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def done(self) -> bool:
        """Whether everything was read."""
        return self._at >= len(self._data)

    def varuint(self) -> int:
        """A number; at most 9 bytes of it are taken seriously."""
        number = shift = 0
        while self._at < len(self._data) and shift < 63:
            byte = self._data[self._at]
            self._at += 1
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7
        raise Truncated

    def varbytes(self) -> bytes:
        """Bytes with their length in front."""
        length = self.varuint()
        if length > len(self._data) - self._at:
            raise Truncated
        self._at += length
        return self._data[self._at - length : self._at]

    def varstring(self) -> str:
        """Text; what is not UTF-8 is replaced."""
        return self.varbytes().decode(errors="replace")


def read_vector(vector: bytes) -> dict[int, int]:
    """A state vector: client id → clock behind its last struct. Raises Truncated."""
    reader = Reader(vector)
    return {reader.varuint(): reader.varuint() for _ in range(reader.varuint())}
