"""Whose a request is: what the system tells of it, and how that is carried along."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator

import pytest

from scripts.civitai_manager_libs.access import owner
from scripts.civitai_manager_libs.access.owner import Finding
from tests.access.test_table import HEADING, row
from tests.support.visitor import SOMEBODY_ELSE

needs_linux = pytest.mark.skipif(sys.platform != 'linux', reason='other systems do not tell')
ASKER, SERVER = ('127.0.0.1', 50000), ('127.0.0.1', 7860)
OURS = str(os.geteuid())


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A table to write rows into, in place of the kernel's."""
    file, accounts = tmp_path / 'tcp', tmp_path / 'uid_map'
    accounts.write_text('         0          0 4294967295\n')
    monkeypatch.setattr(owner, 'TABLES', (str(tmp_path / 'missing'), str(file)))
    monkeypatch.setattr(owner, 'ACCOUNT_MAP', str(accounts))
    return file


@needs_linux
@pytest.mark.parametrize(
    ('account', 'finding'),
    [
        (OURS, Finding.OWNER),
        ('0', Finding.OWNER),
        ('4242', Finding.STRANGER),
        (str(SOMEBODY_ELSE), Finding.STRANGER),
    ],
    ids=['ours', 'root', 'another', 'nobody'],
)
def test_the_account_decides(kernel: Path, account: str, finding: Finding) -> None:
    kernel.write_text(f'{HEADING}\n{row(account=account)}\n')
    assert owner.find(ASKER, SERVER) is finding
    assert owner.find(ASKER, None) is finding


@needs_linux
def test_a_port_shared_with_somebody_else_is_not_ours(kernel: Path) -> None:
    kernel.write_text(f'{HEADING}\n{row()}\n{row(far="08080808:01BB", account=OURS)}\n')
    assert owner.find(ASKER, None) is Finding.STRANGER


@needs_linux
def test_without_a_row_nothing_is_told(kernel: Path) -> None:
    kernel.write_text(f'{HEADING}\n')
    assert owner.find(ASKER, SERVER) is Finding.UNTOLD
    kernel.unlink()
    assert owner.find(ASKER, SERVER) is Finding.UNTOLD


@needs_linux
@pytest.mark.parametrize('release', ['5.15.167.4-microsoft-standard-WSL2', '4.4.0-19041-Microsoft'])
def test_in_wsl_the_account_says_nothing(
    kernel: Path, monkeypatch: pytest.MonkeyPatch, release: str
) -> None:
    kernel.write_text(f'{HEADING}\n{row(account=OURS)}\n')
    monkeypatch.setattr(os, 'uname', lambda: SimpleNamespace(release=release))
    assert owner.find(ASKER, SERVER) is Finding.UNTOLD


@needs_linux
@pytest.mark.parametrize('known', ['0 1000 1', '0 100000 65536', '', '0 0 1\n1 100000 65535'])
def test_in_a_container_with_accounts_of_its_own_neither(kernel: Path, known: str) -> None:
    kernel.write_text(f'{HEADING}\n{row(account=OURS)}\n')
    kernel.with_name('uid_map').write_text(known)
    assert owner.find(ASKER, SERVER) is Finding.UNTOLD


def test_where_no_system_tells_a_connection_of_this_machine_is_the_owners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, 'platform', 'darwin')
    assert owner.find(ASKER, SERVER) is Finding.OWNER


@pytest.fixture(params=['127.0.0.1', '::1'])
def pair(request: Any) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A real connection; (the end of who asks, the end of the server)."""
    family = socket.AF_INET6 if ':' in request.param else socket.AF_INET
    with socket.create_server((request.param, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2]) as asker:
            accepted, _ = server.accept()
            with accepted:
                yield asker, accepted


@needs_linux
def test_a_real_connection_is_ours_until_it_ends(pair: tuple[socket.socket, socket.socket]) -> None:
    asker, accepted = pair
    here, there = asker.getsockname()[:2], accepted.getsockname()[:2]
    assert owner.find(here, there) is Finding.OWNER
    asker.close()
    assert owner.find(here, there) is Finding.UNTOLD


# -- carried along ------------------------------------------------------------------------------


def arrived(**changed: Any) -> owner.Scope:
    """A request as a web server hands it on."""
    usual = {
        'type': 'http',
        'method': 'POST',
        'client': ASKER,
        'server': SERVER,
        'headers': [(b'host', b'127.0.0.1:7860')],
    }
    return {**usual, **changed}


def headers_of(scope: owner.Scope) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in scope['headers']}


def carried(scope: owner.Scope) -> Finding | None:
    return owner.finding_in(headers_of(scope))


@needs_linux
@pytest.mark.parametrize('kind', ['http', 'websocket'])
def test_what_was_found_goes_along_with_the_request(kernel: Path, kind: str) -> None:
    kernel.write_text(f'{HEADING}\n{row(account=OURS)}\n')
    sealed = owner.sealed(arrived(type=kind))
    kernel.write_text(f'{HEADING}\n{row()}\n')
    assert carried(sealed) is Finding.OWNER


def test_nobody_can_bring_a_finding_along(kernel: Path) -> None:
    kernel.write_text(f'{HEADING}\n{row()}\n')
    (real,) = [v for name, v in owner.sealed(arrived())['headers'] if name != b'host']
    for value in (b'owner', b'', b'OWNER', real):
        brought = arrived(headers=[(owner.HEADER.title().encode(), value)])
        assert carried(owner.sealed(brought)) is not Finding.OWNER
        assert len(owner.sealed(brought)['headers']) == 1


@pytest.mark.parametrize(
    'changed',
    [
        {'client': ('192.168.1.5', 50000)},
        {'client': ('1.2.3.4', 0)},
        {'client': None},
        {'client': ('', 0)},
        {'method': 'GET'},
    ],
    ids=['another machine', 'told by a proxy', 'unknown', 'empty', 'only reading'],
)
def test_no_table_is_read_for_who_cannot_be_the_owner(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    def never(*_: object) -> Finding:
        raise AssertionError('read')

    monkeypatch.setattr(owner, 'find', never)
    assert carried(owner.sealed(arrived(**changed))) is None


# -- who may have things done -------------------------------------------------------------------

ROWS = {'ours': row(account=OURS), 'of another': row(account='4242'), 'none': ''}
WHOLE, OWN = '0 0 4294967295', '0 100000 65536'


@needs_linux
@pytest.mark.parametrize('is_shared', [False, True], ids=['for its owner', 'opened to others'])
@pytest.mark.parametrize(
    ('whose', 'accounts', 'may'),
    [
        ('ours', WHOLE, True),
        ('of another', WHOLE, False),
        ('none', WHOLE, False),  # who leaves at once
        ('of another', OWN, True),  # a container that tells nothing
        ('none', OWN, True),
    ],
)
def test_where_the_program_is_for_its_owner_another_account_may_only_look(
    kernel: Path,
    monkeypatch: pytest.MonkeyPatch,
    whose: str,
    accounts: str,
    may: bool,
    is_shared: bool,
) -> None:
    kernel.write_text(f'{HEADING}\n{ROWS[whose]}\n')
    kernel.with_name('uid_map').write_text(accounts)
    monkeypatch.setattr(owner.Sealing, 'is_shared', is_shared)
    assert owner.may_use(headers_of(owner.sealed(arrived()))) is (may or is_shared)


@needs_linux
def test_where_the_system_has_no_tables_the_owner_is_not_locked_out(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner.Sealing, 'is_shared', False)
    assert owner.may_use(headers_of(owner.sealed(arrived())))


@pytest.mark.parametrize(
    'headers', [{}, {'x-civitai-gallery-owner': 'owner'}, {'X-Forwarded-For': '10.0.0.9'}], ids=repr
)
def test_what_did_not_pass_us_may_only_look(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(owner.Sealing, 'is_shared', False)
    assert not owner.may_use(headers)
