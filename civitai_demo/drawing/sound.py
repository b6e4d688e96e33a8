"""The sounds of the stand-in: a second of silence, under a title."""

from __future__ import annotations

# MPEG-1 Layer III, 128 kbit/s, 44.1 kHz, one channel: a frame of 417 bytes lasts 26 ms.
_HEADER, _FRAME_BYTES, _FRAMES = b'\xff\xfb\x90\xc0', 417, 39


def sound_bytes(title: str) -> bytes:
    """An MP3 with `title` in an ID3 tag; no two titles make the same file."""
    text = b'\x03' + title.encode()
    frame = b'TIT2' + _seven_bits(len(text)) + b'\0\0' + text
    tag = b'ID3\x04\0\0' + _seven_bits(len(frame)) + frame
    return tag + _HEADER.ljust(_FRAME_BYTES, b'\0') * _FRAMES


def _seven_bits(number: int) -> bytes:
    """A length as ID3 writes it: seven bits in each of four bytes."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
