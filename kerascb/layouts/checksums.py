"""CRC-32 and CRC-32C, as fast as the installed packages make them.

Both run without the interpreter lock on anything but small data, and both go
on from where they were, so that a file can be summed piece by piece.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import crc32c as _crc32c

try:
    from isal.isal_zlib import crc32 as _crc32
except ImportError:  # it has no wheels for PyPy
    from zlib import crc32 as _crc32

if TYPE_CHECKING:
    from kerascb.layouts.plan import Buffer


def crc32(data: Buffer, start: int = 0) -> int:
    """The CRC-32 of zip archives.

    Args:
        data: What to sum.
        start: The sum of what came before.

    Returns:
        A number of 32 bits.

    Example:
        >>> crc32(b"56789", crc32(b"1234")) == crc32(b"123456789")
        True
        >>> f"{crc32(b'123456789'):08x}"
        'cbf43926'
    """
    return int(_crc32(data, start))


def crc32c(data: Buffer, start: int = 0) -> int:
    """The CRC-32C (Castagnoli) of TensorFlow's and kerascb's own records.

    Args:
        data: What to sum.
        start: The sum of what came before.

    Returns:
        A number of 32 bits.

    Example:
        >>> crc32c(b"56789", crc32c(b"1234")) == crc32c(b"123456789")
        True
        >>> f"{crc32c(b'123456789'):08x}"
        'e3069283'
    """
    return int(_crc32c.crc32c(data, start))


def masked(crc: int) -> bytes:
    """A CRC-32C as it is stored: the CRC of data with its CRC says little.

    Args:
        crc: Of 32 bits.

    Returns:
        Four bytes.
    """
    turned = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (turned + 0xA282EAD8) & 0xFFFFFFFF)


def masked_crc32c(data: Buffer) -> bytes:
    """The CRC-32C of data as it is stored.

    Args:
        data: What to sum.
    """
    return masked(crc32c(data))
