"""The wire: the one client through which every byte comes, and all it is made of.

Stands on setting, store, civitai, forks and errors. The only importer of requests and
urllib3. `resume`, `retry`, `answers`, `unfolding` and `framing` are pure. From the top down:

client          CivitaiHttpClient, and the one of this process
failures        the memory of what failed
single_flight   one fetch for one file
attempts        trying again: the one loop that retries
exchange        one question and its answer, redirects followed one by one
pacing          who may ask which host when; the affair of this package alone
wire            bodies in chunks, and every trouble as an error of ours
sources         where a file is, and the storage that this leads to
bodies          bodies read whole, checked to be what was asked for
outgoing        requests as they go out, and the way they take
connections     connections that can be cut off, and share one SSLContext
proxies         what their addresses say, and how they open a way
dialling        from the name of a host to a connected socket, its addresses raced
lookup          from the name of a host to its addresses
trust           which certificates are trusted
heads           heads of answers, behind those that only announce them
watch           an eye that cuts off what is stopped or comes too late
hurry           where one try is enough, because another address has the same
background      work that lets go first whom a person waits for
slots           places for work at once, which who can only wait lends
resume          going on with a body that broke off
retry           what to do after an attempt
answers         what an error says in words
unfolding       what JSON would unfold to, known before it does
framing         what headers say about the shape of a body
"""

from .client import CivitaiHttpClient, get_http_client

__all__ = ['CivitaiHttpClient', 'get_http_client']
