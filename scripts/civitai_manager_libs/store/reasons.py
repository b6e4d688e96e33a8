"""What a system says of a file, in words of our own: its own are English, or of its language."""

from __future__ import annotations

import errno

# Keys of texts, which `CivitaiError` tells in the language of the reader.
_REASONS = {
    errno.ENOENT: 'reason_not_found',
    errno.ENOTDIR: 'reason_no_folder',
    errno.EISDIR: 'reason_is_folder',
    errno.EEXIST: 'reason_exists',
    errno.ENAMETOOLONG: 'reason_name_too_long',
    errno.EINVAL: 'reason_bad_name',
    errno.EILSEQ: 'reason_bad_name',
    errno.ELOOP: 'reason_link_circle',
    errno.EACCES: 'reason_denied',
    errno.EPERM: 'reason_denied',
    errno.EROFS: 'reason_read_only',
    errno.ENOSPC: 'reason_full',
    errno.EMFILE: 'reason_too_many_open',
    errno.ENFILE: 'reason_too_many_open',
    errno.EBUSY: 'reason_in_use',
    errno.EIO: 'reason_broken_disk',
}


def reason(error: Exception) -> str:
    """Return why `error` came, as a value of a CivitaiError: the system's own words if it is odd.

    A ValueError is what Python says of a name that no system takes (a zero byte, say).
    """
    if isinstance(error, ValueError):
        return 'reason_bad_name'
    number, words = getattr(error, 'errno', None), getattr(error, 'strerror', None)
    return _REASONS.get(number or 0) or words or type(error).__name__
