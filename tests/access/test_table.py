"""Reading the kernel's tables of connections."""

from __future__ import annotations

import pytest

from scripts.civitai_manager_libs.access import table

HEADING = (
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout'
)
V4, V6 = '0100007F', '00000000000000000000000001000000'
MAPPED = '0000000000000000FFFF00000100007F'
PORT, SERVED = 'C350', '1EB4'  # 50000 and 7860
ASKER, SERVER = ('127.0.0.1', 50000), ('127.0.0.1', 7860)


def row(
    near: str = f'{V4}:{PORT}',
    far: str = f'{V4}:{SERVED}',
    *,
    state: str = '01',
    account: str = '1000',
    inode: str = '4711',
) -> str:
    """A row as the kernel writes it; by itself that of a living connection of account 1000."""
    timers = '00000000:00000000 00:00000000 00000000'
    return f'   7: {near} {far} {state} {timers} {account:>5}        0 {inode} 1 0 20 4 30 10 -1'


def accounts(*rows: str, asker: table.Endpoint = ASKER, server: object = SERVER) -> set[int]:
    text = '\n'.join([HEADING, *rows, ''])
    return table.accounts(text, asker, server, 'little')  # type: ignore[arg-type]


COUNT = {
    'ours': ([row()], {1000}),
    "root's": ([row(account='0')], {0}),
    'a large account': ([row(account='4294967294')], {4294967294}),
    'behind the end of the server': ([row(HEADING, account='0'), row()], {1000}),
    'mapped into an IPv6 socket': ([row(f'{MAPPED}:{PORT}', f'{MAPPED}:{SERVED}')], {1000}),
}
NOT = {
    'an empty table': [],
    'the end of the server': [row(f'{V4}:{SERVED}', f'{V4}:{PORT}', account='0')],
    'to another port': [row(far=f'{V4}:1EB5')],
    'from another port': [row(f'{V4}:C351')],
    'from another address': [row(f'0200007F:{PORT}')],
    'held by nobody': [row(account='0', inode='0')],
    'waiting for its last packets': [row(state='06', account='0', inode='0')],
    **{f'in state {state:02X}': [row(state=f'{state:02X}')] for state in range(2, 13)},
    'over IPv6': [row(f'{V6}:{PORT}', f'{V6}:{SERVED}')],
    'no account': [row(account='-1')],
    'cut off': [row()[:60]],
    'something else': ['', 'x' * 200, ' '.join(['y'] * 12)],
}


@pytest.mark.parametrize(('rows', 'found'), COUNT.values(), ids=COUNT)
def test_a_living_connection_tells_its_account(rows: list[str], found: set[int]) -> None:
    assert accounts(*rows) == found


@pytest.mark.parametrize('rows', NOT.values(), ids=NOT)
def test_nothing_else_tells_one(rows: list[str]) -> None:
    assert accounts(*rows) == set()


def test_an_ipv6_connection_is_found_by_its_own_address() -> None:
    rows = [row(f'{V6}:{PORT}', f'{V6}:{SERVED}')]
    assert accounts(*rows, asker=('::1', 50000), server=('::1', 7860)) == {1000}
    assert accounts(*rows, asker=('::2', 50000), server=('::1', 7860)) == set()


@pytest.mark.parametrize('asker', ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1'])
@pytest.mark.parametrize('form', [V4, MAPPED], ids=['IPv4 socket', 'IPv6 socket'])
def test_an_ipv4_address_is_found_however_either_end_writes_it(asker: str, form: str) -> None:
    rows = [row(f'{form}:{PORT}', f'{form}:{SERVED}')]
    assert accounts(*rows, asker=(asker, 50000), server=('::ffff:127.0.0.1', 7860)) == {1000}


def test_to_anywhere_means_every_connection_from_there() -> None:
    rows = [row(), row(far='08080808:01BB', account='65534')]
    assert accounts(*rows, server=None) == {1000, 65534}


def test_a_big_endian_machine_writes_the_bytes_as_they_are() -> None:
    text = '\n'.join([HEADING, row(f'7F000001:{PORT}', f'7F000001:{SERVED}')])
    assert table.accounts(text, ASKER, SERVER, 'big') == {1000}
    assert table.accounts(text, ASKER, SERVER, 'little') == set()


@pytest.mark.parametrize('host', ['', 'localhost', 'testclient', '127.0.0.1.', '127.1'])
def test_what_is_no_address_has_no_account(host: str) -> None:
    assert accounts(row(), asker=(host, 50000)) == set()
