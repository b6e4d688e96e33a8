"""What we take from a WebUI, and what we do without one."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Callable

import pytest

from scripts.civitai_manager_libs import host, setting, texts


@pytest.fixture
def webui(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of a WebUI, as far as folders and options go."""
    paths, shared, modules = (ModuleType(name) for name in ('paths', 'shared', 'modules'))
    values = SimpleNamespace()
    vars(paths).update(data_path='/webui', models_path='/webui/models')
    vars(shared).update(opts=values, cmd_opts=SimpleNamespace(ckpt_dir='/big/disk', vae_dir=None))
    vars(modules).update(paths=paths, shared=shared)
    monkeypatch.setitem(sys.modules, 'modules', modules)
    monkeypatch.setitem(sys.modules, 'modules.paths', paths)
    monkeypatch.setitem(sys.modules, 'modules.shared', shared)
    return values


def test_alone_there_is_no_webui() -> None:
    found = host.detect()
    assert isinstance(found, host.StandaloneHost)
    assert not found.send_targets() and found.option('gallery_rows') is None
    assert found.model_folder('LORA') is None


def test_downloads_go_to_the_hosts_outputs(webui: SimpleNamespace) -> None:
    assert setting.download_folder() == Path('/webui/outputs/download-images')
    setting.download_images_folder = '/elsewhere'
    assert setting.download_folder() == Path('/elsewhere')


@pytest.mark.parametrize(
    ('kind', 'folder'),
    [
        ('Checkpoint', '/big/disk'),
        ('VAE', '/webui/models/VAE'),
        ('LORA', '/webui/models/Lora'),
        ('TextualInversion', '/webui/embeddings'),
        ('Workflows', None),
    ],
)
def test_model_folders_are_the_hosts_own(
    webui: SimpleNamespace, kind: str, folder: str | None
) -> None:
    assert host.detect().model_folder(kind) == (folder and Path(folder))


def test_folders_are_full_paths_where_the_host_names_them_from_where_it_runs(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    vars(sys.modules['modules.paths']).update(data_path='', models_path='models')
    sys.modules['modules.shared'].cmd_opts.lora_dir = 'models/Lora'  # as SD.Next has them
    assert setting.download_folder() == tmp_path / 'outputs' / 'download-images'
    found = host.detect()
    assert found.model_folder('LORA') == tmp_path / 'models' / 'Lora'
    assert found.model_folder('VAE') == tmp_path / 'models' / 'VAE'
    assert found.model_folder('TextualInversion') == tmp_path / 'embeddings'


def paste_module(*, works: bool) -> ModuleType:
    """A host's module that sends to its tabs, or one that only has its name."""
    made = ModuleType('paste')
    if works:
        made.registered = []  # type: ignore[attr-defined]
        made.ParamBinding = SimpleNamespace  # type: ignore[attr-defined]
        made.register_paste_params_button = made.registered.append  # type: ignore[attr-defined]
    return made


class Kept(logging.Handler):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def silent_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """A root logger that drops everything, as SD.Next sets it up."""
    monkeypatch.setattr(logging.root, 'handlers', [logging.NullHandler()])
    monkeypatch.setattr(logging.root, 'level', logging.ERROR)


def test_warnings_reach_the_log_of_a_host_that_drops_those_of_others(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, silent_root: None
) -> None:
    module, first, second = ModuleType('modules.logger'), Kept(), Kept()
    module.log = logging.Logger('of the host')  # type: ignore[attr-defined]
    module.log.addHandler(first)
    monkeypatch.setitem(sys.modules, 'modules.logger', module)
    ours = logging.getLogger('ours.of.sdnext')
    for _ in range(2):  # Reload UI
        host.WebuiHost().take_log_of(ours)
    logging.getLogger('ours.of.sdnext.store').warning('%s is full', 'disk')
    ours.info('nothing')
    module.log.handlers = [second]  # it makes them anew after each extension
    ours.error('broken')
    assert (first.lines, second.lines) == (['disk is full'], ['broken'])


def test_without_a_log_of_the_host_warnings_go_to_stderr(
    webui: SimpleNamespace, silent_root: None, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = logging.getLogger('ours.of.another')
    host.WebuiHost().take_log_of(ours)
    ours.warning('disk is full')
    assert capsys.readouterr().err == 'disk is full\n'


def test_a_host_that_logs_what_others_say_is_left_as_it_is(webui: SimpleNamespace) -> None:
    ours = logging.getLogger('ours.of.a1111')
    host.WebuiHost().take_log_of(ours)
    assert (ours.handlers, ours.level) == ([], logging.NOTSET)


NEWER, OLDER = 'infotext_utils', 'generation_parameters_copypaste'


@pytest.mark.parametrize(
    ('there', 'used'),
    [
        pytest.param({OLDER: True}, OLDER, id='AUTOMATIC1111 before 1.8'),
        pytest.param({NEWER: True}, NEWER, id='the newer name alone'),
        pytest.param({NEWER: True, OLDER: True}, NEWER, id='both'),
        pytest.param({NEWER: False, OLDER: True}, OLDER, id='SD.Next: the newer one is empty'),
    ],
)
def test_what_is_sent_goes_through_the_paste_module_that_works(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, there: dict[str, bool], used: str
) -> None:
    modules = {name: paste_module(works=works) for name, works in there.items()}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, f'modules.{name}', module)
    found = host.detect()
    assert list(found.send_targets()) == ['txt2img', 'img2img', 'inpaint', 'extras']
    for target in found.send_targets():
        found.bind_send(target, 'button', 'text', 'image')
    bound = [(b.tabname, b.source_image_component) for b in modules[used].registered]
    assert bound == [
        ('txt2img', None),
        ('img2img', 'image'),
        ('inpaint', 'image'),
        ('extras', 'image'),
    ]


def test_where_there_is_a_control_tab_infotext_can_be_sent_there(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = paste_module(works=True)
    module.paste_fields = {'txt2img': {}, 'control': {}}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f'modules.{OLDER}', module)
    found = host.detect()
    assert list(found.send_targets()) == ['txt2img', 'img2img', 'inpaint', 'extras', 'control']
    found.bind_send('control', 'button', 'text', 'image')
    (bound,) = module.registered
    assert (bound.tabname, bound.source_text_component) == ('control', 'text')
    assert bound.source_image_component is None


@pytest.mark.parametrize('there', [{}, {NEWER: False}, {NEWER: False, OLDER: False}], ids=str)
def test_where_nothing_can_be_sent_there_is_the_tab_without_those_buttons(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, there: dict[str, bool]
) -> None:
    for name, works in there.items():
        monkeypatch.setitem(sys.modules, f'modules.{name}', paste_module(works=works))
    assert not host.detect().send_targets()


def test_options_of_the_host_count_if_they_are_usable(webui: SimpleNamespace) -> None:
    webui.civitai_gallery_gallery_rows = 2.0  # its number field gives floats
    webui.civitai_gallery_gallery_columns = 99
    webui.civitai_gallery_language = 'zh_TW'
    webui.civitai_gallery_civitai_base_url = 'https://evil.example'
    before = setting.civitai_base_url
    setting.refresh()
    assert (setting.gallery_rows, setting.gallery_columns) == (2, 6)
    assert setting.language == 'zh_TW' and setting.civitai_base_url == before


@pytest.mark.parametrize(
    ('chosen', 'localization', 'spoken'),
    [
        ('auto', 'zh_TW', '載入'),
        ('auto', 'zh-Hant_Stable', '載入'),
        ('auto', 'None', 'Load'),
        ('auto', None, 'Load'),
        ('auto', 'zh_CN', 'Load'),
        ('en', 'zh_TW', 'Load'),
        ('zh_TW', 'None', '載入'),
    ],
)
def test_the_language_is_the_hosts_until_one_is_chosen(
    webui: SimpleNamespace, chosen: str, localization: object, spoken: str
) -> None:
    webui.civitai_gallery_language, webui.localization = chosen, localization
    setting.refresh()
    assert texts.text('load', setting.language) == spoken


def test_a_host_that_names_no_language_is_taken_for_english(webui: SimpleNamespace) -> None:
    texts.around = 'zh_TW'
    setting.refresh()
    assert texts.text('load', setting.language) == 'Load'


def test_the_environment_wins_over_the_host(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('CIVITAI_GALLERY_LANG', 'en')
    setting.language = 'en'  # as it is read at the start
    webui.civitai_gallery_language = 'zh_TW'
    setting.refresh()
    assert setting.language == 'en'


class Table(dict[str, object]):
    """A cache of a WebUI's."""


@pytest.fixture
def hashes(webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> dict[str, Table]:
    """The WebUI's own caches of hashes, by their names."""
    tables = {'hashes': Table(), 'hashes-addnet': Table()}
    module = ModuleType('modules.hashes')
    vars(module).update(cache=tables.__getitem__)
    vars(sys.modules['modules']).update(hashes=module)
    monkeypatch.setitem(sys.modules, 'modules.hashes', module)
    return tables


@pytest.mark.parametrize(
    ('kind', 'title'),
    [
        ('Checkpoint', 'checkpoint/below/a.safetensors'),
        ('LORA', 'lora/a'),
        ('LoCon', 'lora/below/a'),
        ('TextualInversion', 'textual_inversion/a'),
    ],
)
def test_hashes_that_the_host_noted_are_known(
    hashes: dict[str, Table], tmp_path: Path, kind: str, title: str
) -> None:
    options = sys.modules['modules.shared'].cmd_opts
    vars(options).update(ckpt_dir=str(tmp_path), lora_dir=str(tmp_path))
    path = tmp_path / 'below' / 'a.safetensors'
    path.parent.mkdir()
    path.touch()
    changed = path.stat().st_mtime
    hashes['hashes'][title] = {'sha256': 'AB' * 32, 'mtime': changed}
    hashes['hashes-addnet'][title] = {'sha256': 'cd' * 32, 'mtime': changed}
    assert host.detect().kept_hashes(path, kind) == ('ab' * 32, 'cd' * 32)
    assert host.detect().kept_hashes(path, 'Upscaler') == ('', '')


def test_what_forge_notes_in_place_of_the_hash_of_tensors_is_not_taken_for_it(
    hashes: dict[str, Table], tmp_path: Path
) -> None:
    sys.modules['modules.shared'].cmd_opts.text_encoder_dir = None
    path = tmp_path / 'a.safetensors'
    path.touch()
    whole = {'sha256': 'ab' * 32, 'mtime': path.stat().st_mtime}
    hashes['hashes-addnet']['lora/a'] = whole
    assert host.detect().kept_hashes(path, 'LORA') == ('', '')
    hashes['hashes']['lora/a'] = whole
    assert host.detect().kept_hashes(path, 'LORA') == ('ab' * 32, '')


@pytest.mark.parametrize(
    'entry',
    [
        pytest.param({'sha256': 'ab' * 32, 'mtime': 1.0}, id='of another file of that name'),
        pytest.param({'sha256': 'ab' * 32}, id='of any time'),
        pytest.param({'sha256': None, 'mtime': 7.0}, id='nothing'),
        pytest.param({'sha256': 'ab', 'mtime': 7.0}, id='too short'),
        pytest.param({'sha256': '../' * 21 + 'x', 'mtime': 7.0}, id='no hash'),
        pytest.param('text', id='no entry'),
    ],
)
def test_what_the_host_noted_of_something_else_is_not_believed(
    hashes: dict[str, Table], tmp_path: Path, entry: object
) -> None:
    path = tmp_path / 'a.safetensors'
    path.touch()
    os.utime(path, (7, 7))
    hashes['hashes']['lora/a'] = entry
    assert host.detect().kept_hashes(path, 'LORA') == ('', '')


@pytest.mark.parametrize(
    ('module', 'function', 'kind'),
    [
        ('modules.sd_models', 'list_models', 'Checkpoint'),
        ('networks', 'list_available_networks', 'LORA'),
        ('networks', 'list_available_networks', 'DoRA'),
        ('modules.lora.lora_load', 'list_available_networks', 'LoCon'),
        ('modules.sd_vae', 'refresh_vae_list', 'VAE'),
    ],
)
@pytest.mark.parametrize('works', [True, False])
def test_the_host_looks_at_its_models_anew(
    webui: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    function: str,
    kind: str,
    works: bool,
) -> None:
    called = []

    def action() -> None:
        called.append(kind)
        if not works:
            raise RuntimeError('out of order')

    made = ModuleType(module)
    vars(made)[function] = action
    monkeypatch.setitem(sys.modules, module, made)
    assert host.detect().refresh_models(kind) is works
    assert called == [kind]
    assert host.detect().refresh_models('Upscaler') is False


PAGE = 'ui_extra_networks_textual_inversion'
ANEW = {'force_reload': True}
WITHOUT_MODEL = {'force_reload': True, 'sync_with_sd_model': False}


@pytest.fixture
def embeddings(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, object], list[dict[str, bool]]]:
    """Have a host keep its embeddings as the one called so does, with that model loaded."""

    def kept_as(keeper: str, loaded: object) -> list[dict[str, bool]]:
        asked: list[dict[str, bool]] = []
        database = SimpleNamespace(
            load_textual_inversion_embeddings=lambda **wishes: asked.append(wishes)
        )
        made = {name: ModuleType(f'modules.{name}') for name in ('sd_hijack', 'sd_models', PAGE)}
        vars(made['sd_models']).update(model_data=SimpleNamespace(sd_model=loaded))
        hijack = SimpleNamespace()
        if keeper == 'AUTOMATIC1111':
            hijack.embedding_db = database
        elif keeper == 'Forge':
            vars(made[PAGE]).update(embedding_db=database)
        elif isinstance(loaded, SimpleNamespace):
            loaded.embedding_db = database
        vars(made['sd_hijack']).update(model_hijack=hijack)
        for module in made.values():
            monkeypatch.setitem(sys.modules, module.__name__, module)
        return asked

    return kept_as


@pytest.mark.parametrize(
    ('keeper', 'has_model', 'expected'),
    [
        ('AUTOMATIC1111', True, [ANEW]),
        ('SD.Next', True, [ANEW]),
        ('Forge', True, [WITHOUT_MODEL]),
        ('Forge', False, [WITHOUT_MODEL]),
        # there it would load one, or forget the embeddings it knows
        ('AUTOMATIC1111', False, []),
        ('SD.Next', False, []),
    ],
)
def test_the_host_reads_new_embeddings_and_loads_no_model_for_it(
    embeddings: Callable[[str, object], list[dict[str, bool]]],
    keeper: str,
    has_model: bool,
    expected: list[dict[str, bool]],
) -> None:
    asked = embeddings(keeper, SimpleNamespace() if has_model else None)
    assert host.detect().refresh_models('TextualInversion') is bool(expected)
    assert asked == expected


def test_alone_there_are_no_lists_and_no_hashes(tmp_path: Path) -> None:
    alone = host.detect()
    assert alone.refresh_models('LORA') is False
    assert alone.kept_hashes(tmp_path / 'a.pt', 'LORA') == ('', '')
    assert (alone.models_root(), alone.model_layout(), alone.model_folders('LORA')) == (
        None,
        None,
        (),
    )
