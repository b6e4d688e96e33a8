"""What we ask Civitai: an address and a client in, a value out. Everything raises CivitaiError.

Stands on http_client, setting, civitai and errors. From the top down:

galleries    galleries: what a link means, ready to be read
whereabouts  whether a user, post or picture is there at all
pages        reading a gallery page by page
models       models and their versions, and whose the API key is
lookups      which versions files are of; many models at once
"""

from ..civitai.gallery import GalleryQuery
from .galleries import Gallery, check_there, open_gallery
from .models import (
    fetch_model,
    fetch_offered,
    fetch_versions,
    find_offered,
    find_version,
    search_models,
    whoami,
)
from .pages import MAX_EMPTY_ANSWERS, fetch_page, order_of_post, read_page, read_pages

__all__ = [
    'MAX_EMPTY_ANSWERS',
    'Gallery',
    'GalleryQuery',
    'check_there',
    'fetch_model',
    'fetch_offered',
    'fetch_page',
    'fetch_versions',
    'find_offered',
    'find_version',
    'open_gallery',
    'order_of_post',
    'read_page',
    'read_pages',
    'search_models',
    'whoami',
]
