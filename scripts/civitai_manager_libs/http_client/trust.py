"""Which certificates are trusted: one context of TLS for all connections."""

from __future__ import annotations

import os
import ssl

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from ..errors import TlsFailedError


def ssl_context(verify: bool | str | None, extra: str) -> ssl.SSLContext:
    """Return a context that trusts the usual certificates and those in the file `extra`.

    `verify` is that of requests: a PEM file or a folder of them in place of the usual ones, or
    False, which trusts anybody. Raises TlsFailedError for certificates that cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(['http/1.1'])
    usual = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
    for path in filter(None, (usual, os.path.expanduser(extra))):
        try:
            if os.path.isdir(path):
                context.load_verify_locations(capath=path)
            else:
                context.load_verify_locations(cafile=path)
        except OSError as error:  # ssl.SSLError is one
            raise TlsFailedError('error_ca_bundle', path=path) from error
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
