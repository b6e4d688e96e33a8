"""The wire: the one client through which every byte comes, and all it is made of.

Stands on setting, store, civitai and errors. The only importer of requests and urllib3. `answers`,
`retry` and `resume` are pure.

client        CivitaiHttpClient, and the one of this process
failures      the memory of what failed
attempts      trying again: the one loop that retries
retry         what to do after an attempt
exchange      one question and its answer, redirects followed one by one
outgoing      requests as they go out, and the way they take
connections   connections that can be cut off, and share one SSLContext
wire          bodies in chunks, and every trouble as an error of ours
bodies        bodies read whole, checked to be what was asked for
answers       what an error says in words
resume        going on with a body that broke off
watch         an eye that cuts off what is stopped or comes too late
slots         places for work at once, which who can only wait lends
pacing        who may ask which host when; the affair of this package alone
"""

from .client import CivitaiHttpClient, get_http_client

__all__ = ['CivitaiHttpClient', 'get_http_client']
