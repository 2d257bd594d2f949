"""SQL in the address of a page: as it is while it is short, compressed when it is long.

What is longer than an address may be does not go into it. What an address brings is text that
somebody else may have written: it is shown, and run only when the reader says so.
"""

from __future__ import annotations

import base64
import binascii
import zlib

#: Text up to this length stands in the address as it is; beyond it, compressed up to the other.
_PLAIN = 400
_LONGEST = 3500
#: Longest text that is unpacked: what little can be packed into an address may be endless.
_LONGEST_TEXT = 100_000
_PACKED = "z."


def pack(text: str) -> str:
    """Return what stands for a text in an address; '' where it is too long for one."""
    if len(text) <= _PLAIN and not text.startswith(_PACKED):
        return text
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    return _PACKED + packed if len(packed) <= _LONGEST else ""


def unpack(packed: str) -> str:
    """Return the text that stands in an address. Raises ValueError for what is none."""
    if not packed.startswith(_PACKED):
        return packed
    body = packed.removeprefix(_PACKED)
    if len(body) > _LONGEST:
        raise ValueError("longer than an address may be")
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        opened = zlib.decompressobj()
        text = opened.decompress(raw, _LONGEST_TEXT)
        if opened.unconsumed_tail or not opened.eof:
            raise ValueError("longer than a query may be")
        return text.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as error:
        raise ValueError("not a query") from error
