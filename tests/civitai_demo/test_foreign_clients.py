"""Other people's clients of the site work with the stand-in as they do with the site.

They run in an environment of their own. Most know only the site's own address: a proxy leads them
to the stand-in, and they trust its certificate.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Iterator

import pytest
import trustme
from PIL import Image

from civitai_demo.api.scenarios import DEMO_KEY
from civitai_demo.server import DemoServer
from civitai_demo.world.catalog import load_catalog
from tests.support.environments import with_foreign_clients
from tests.support.proxies import TunnelProxy

# A client that was given a proxy uses it for redirects to this machine too.
STORAGE = ('127.0.0.1', 'localhost')
SITES = ('civitai.com', 'civitai.red', 'image.civitai.com', 'image-b2.civitai.com')


class Detour(TunnelProxy):
    """A proxy that leads whoever wants the site or its storage to the stand-in, others nowhere."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._site = ('127.0.0.1', port)

    def _asked(self, caller: socket.socket) -> tuple[str, int] | None:
        place = super()._asked(caller)
        return self._site if place and place[0] in (*SITES, *STORAGE) else None


@pytest.fixture(scope='module')
def python() -> str:
    return with_foreign_clients()


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DemoServer, Path]]:
    """The stand-in behind TLS, and the certificate of who vouches for it."""
    folder, authority = tmp_path_factory.mktemp('certificates'), trustme.CA()
    issued = authority.issue_cert(*SITES, *STORAGE)
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / 'site.pem'))
    authority.cert_pem.write_to_path(str(folder / 'authority.pem'))
    with DemoServer(certificate=str(folder / 'site.pem')) as demo:
        yield demo, folder / 'authority.pem'


class Visitor:
    """Runs a foreign client in a folder; what it said is in the failure if it fails."""

    def __init__(self, python: str, folder: Path, demo: DemoServer, authority: Path, proxy: str):
        self.folder, self.demo, self.authority, self.proxy = folder, demo, authority, proxy
        self._python = python
        self._surroundings = {
            **{name: os.environ[name] for name in ('PATH', 'LANG') if name in os.environ},
            'HOME': str(folder / 'home'),
            'CIVITAI_HOME': str(folder / 'models'),
            'HTTPS_PROXY': proxy,
            'REQUESTS_CA_BUNDLE': str(authority),
            'SSL_CERT_FILE': str(authority),
        }

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [self._python, *arguments],
            cwd=self.folder,
            env=self._surroundings,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.folder.rglob(pattern))


@pytest.fixture
def visitor(python: str, site: tuple[DemoServer, Path], tmp_path: Path) -> Iterator[Visitor]:
    demo, authority = site
    demo.scenario = ''
    demo.requests.clear()
    (tmp_path / 'home').mkdir()
    with Detour(demo.port) as proxy:
        yield Visitor(python, tmp_path, demo, authority, proxy.url)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest().upper()


def listed(version: int) -> list[str]:
    """The SHA256 of the files that a version lists."""
    found = load_catalog().version(version)
    assert found is not None
    return [file.hashes['SHA256'] for file in found[1].files]


def gallery_dl(visitor: Visitor, address: str, *options: str, code: int = 0) -> str:
    facts = {
        'extractor.civitai.api': 'rest',
        'extractor.sleep-request': '0',
        'extractor.civitai.files': '["model", "image"]',
        'extractor.proxy': f'"{visitor.proxy}"',
        'extractor.verify': f'"{visitor.authority}"',
        'downloader.proxy': f'{{"https://civitai.red": "{visitor.proxy}"}}',
    }
    told = [part for name, value in facts.items() for part in ('-o', f'{name}={value}')]
    return visitor.run(
        '-m', 'gallery_dl', '--config-ignore', '-d', '.', *told, *options, address, code=code
    )


def test_gallery_dl_fetches_a_model_and_its_pictures(visitor: Visitor) -> None:
    address = 'https://civitai.red/models/4317?modelVersionId=431702'
    gallery_dl(visitor, address, '-o', f'extractor.civitai.api-key={DEMO_KEY}')
    (model,) = visitor.files('*.safetensors')
    assert [sha256_of(model)] == listed(431702)
    pictures = [path for path in visitor.files('*') if path.suffix in ('.jpg', '.png', '.webp')]
    assert len(pictures) > 10
    for path in pictures:
        with Image.open(path) as image:
            image.verify()


def test_gallery_dl_is_a_browser_that_has_to_log_in(visitor: Visitor) -> None:
    address = 'https://civitai.red/models/4317?modelVersionId=431702'
    gallery_dl(visitor, address, '--range', '1', code=4)
    assert not visitor.files('*.safetensors')
    assert '/login' in [record.path for record in visitor.demo.requests]


def test_gallery_dl_walks_from_page_to_page(visitor: Visitor) -> None:
    options = ('-o', 'extractor.civitai.files=gallery', '--simulate')
    said = gallery_dl(visitor, 'https://civitai.red/models/4201?modelVersionId=420102', *options)
    pages = [record for record in visitor.demo.requests if record.path == '/api/v1/images']
    assert len(pages) == 3
    assert len(set(said.splitlines())) == len(said.splitlines()) > 200


CIVITAPY = '''
import json
from civitapy import CivitAIClient
client = CivitAIClient(token={key!r})
version = client.model_versions_get(481002)
sha256 = [file['hashes']['SHA256'] for file in version['files']]
models = client.models_list(types='Checkpoint', sort='Most Downloaded', limit=3)
print(json.dumps({{
    'files': sorted(file['name'] for file in version['files']),
    'models': [model['id'] for model in models['items']],
    'mini': client.model_versions_mini(420102)['requireAuth'],
    'ids': [found.model_version_id for found in client.model_versions_by_hash_ids(sha256)],
    'bulk': [found['id'] for found in client.model_versions_by_hash_bulk(sha256[:2])],
    'hash': client.model_versions_by_hash(sha256[1])['id'],
    'images': len(client.images_list(model_version_id=420102, limit=5)['items']),
    'me': client.users_me()['username'],
    'articles': len(client.articles_list()['items']),
    'enums': len(client.enums()['ModelType']),
    'rights': client.permissions_check([420102, 485102]),
}}))
'''


def test_civitapy_asks_for_everything(visitor: Visitor) -> None:
    found = json.loads(visitor.run('-c', CIVITAPY.format(key=DEMO_KEY)))
    assert found['files'].count('tidewaterPrints_v20.safetensors') == 2
    assert found['models'][0] == 4201
    assert found['mini'] is True
    assert set(found['ids']) == {481002, 482602}
    assert found['bulk'] == [481002, 481002] and found['hash'] == 481002
    assert (found['images'], found['me'], found['articles']) == (5, 'demo_visitor', 2)
    assert found['enums'] == 23
    assert found['rights'] == {'420102': True, '485102': False}


def test_civitapy_fetches_a_version(visitor: Visitor) -> None:
    visitor.run(
        '-c',
        'from civitapy import CivitAIClient\n'
        f'client = CivitAIClient(token={DEMO_KEY!r}, verify_hash=True)\n'
        'client.download_model_version(431703)\n',
    )
    (model,) = visitor.files('*.safetensors')
    assert [sha256_of(model)] == listed(431703)


def test_civitdl_fetches_what_the_version_is_known_by(visitor: Visitor) -> None:
    options = ('--api-key', DEMO_KEY, '--pause-time', '0.1', '--max-images', '3')
    said = visitor.run('-c', 'from civitdl.__main__ import main; main()', '4588', 'here', *options)
    (model,) = visitor.files('*.safetensors')
    assert sha256_of(model) == listed(458802)[0], said
    assert len(visitor.files('*.jpeg')) == 3


def test_civitdl_says_what_early_access_is(visitor: Visitor) -> None:
    options = ('--api-key', DEMO_KEY, '--pause-time', '0.1', '--retry-count', '0')
    said = visitor.run('-c', 'from civitdl.__main__ import main; main()', '4851', 'here', *options)
    assert 'early access' in said.lower() and '2045-06-01' in said
    assert not visitor.files('*.safetensors')


def test_pycivitai_fetches_what_needs_no_key(visitor: Visitor) -> None:
    visitor.run('-m', 'pycivitai', 'get', '-m', '4452', '-v', 'v1')
    (model,) = visitor.files('*.safetensors')
    assert [sha256_of(model)] == listed(445201)


def test_pycivitai_finds_a_file_by_its_hash(visitor: Visitor) -> None:
    wanted = listed(431702)[0]
    program = f'from pycivitai import civitai_find_online as find; print(find({wanted!r}))'
    said = visitor.run('-c', program)
    assert 'gouacheWeather_v2.safetensors' in said and 'fileId=4317021' in said


def test_pycivitai_fetches_by_name_and_creator(visitor: Visitor) -> None:
    visitor.demo.scenario = 'keyless-downloads'
    visitor.run('-m', 'pycivitai', 'get', '-m', 'Northern Nights', '-c', 'northbound')
    (model,) = visitor.files('*.safetensors')
    assert [sha256_of(model)] == listed(470302)
