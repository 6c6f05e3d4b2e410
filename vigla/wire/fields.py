"""Protobuf fields as bytes, for messages that are put together from columns."""


def varint(number: int) -> bytes:
    """A number from 0 on in groups of seven bits, the lowest first."""
    made = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits a byte
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def delimited(number: int, content: bytes) -> bytes:
    """Field ``number`` of bytes or of a message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def scalar(number: int, value: int) -> bytes:
    """Field ``number`` of an int64 or an enum; nothing for 0, the default."""
    return varint(number << 3) + varint(value & 0xFFFF_FFFF_FFFF_FFFF) if value else b""
