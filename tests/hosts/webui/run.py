"""A stand-in for a WebUI: what AUTOMATIC1111, Forge and SD.Next do for an extension, no more.

    python run.py --root FOLDER --port N [--forge | --sdnext] [--old-names] [--skip-install]
        [--hide PACKAGE]

FOLDER holds `extensions/`; outputs and config.json go there too. Extensions load as they do in the
real programs: install.py in a process of its own; each script executed under its file name and
not put into sys.modules; the extension's folder first on sys.path, with --forge for good.
GET /_reload does what the button Reload UI does; that of SD.Next begins the program anew.
"""

from __future__ import annotations

import argparse
import functools
import html
import importlib.util
import inspect
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

import gradio as gr
import paste
from modules import paths, script_callbacks, shared

MAJOR = int(gr.__version__.split('.')[0])


class Hidden:
    """An import finder for packages that this host is said to lack."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.split('.')[0] == self.name:
            raise ModuleNotFoundError(f'No module named {self.name!r}', name=self.name)


class AnythingGoes:
    """An event as Forge wraps it: callable with anything, its signature out of sight."""

    def __init__(self, event: Any) -> None:
        self.event = event
        self.event_name = getattr(event, 'event_name', None)
        self.has_trigger = getattr(event, 'has_trigger', None)
        self.callback = getattr(event, 'callback', None)
        self.__self__ = getattr(event, '__self__', None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self.event(*args, **kwargs)
        then = bound.then
        bound.then = lambda *a, **k: then(*a, **k)
        return bound


def wrap_events() -> None:
    """Wrap the events of every component, as Forge does."""
    for name in ('Button', 'Dropdown', 'Gallery', 'Textbox'):
        kind = getattr(gr, name)

        def initialised(
            self: Any, *args: Any, original: Any = kind.__init__, **kwargs: Any
        ) -> None:
            original(self, *args, **kwargs)
            for event in self.EVENTS:
                setattr(self, str(event), AnythingGoes(getattr(self, str(event))))

        kind.__init__ = functools.wraps(kind.__init__)(initialised)


def run_installers(root: Path) -> None:
    for folder in sorted((root / 'extensions').iterdir()):
        installer = folder / 'install.py'
        if installer.is_file():
            environment = {**os.environ, 'PYTHONPATH': f'{root}:'}
            subprocess.run([sys.executable, str(installer)], cwd=root, env=environment)


def load_scripts(root: Path, forge: bool) -> None:
    script_callbacks.clear_callbacks()
    for folder in sorted((root / 'extensions').iterdir()):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        for script in sorted((folder / 'scripts').glob('*.py')):
            if script.name == '__init__.py':
                continue
            spec = importlib.util.spec_from_file_location(script.name, script)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except Exception as error:  # as a host does: told, and on to the next
                print(f'*** Error loading script: {script.name}: {error!r}', file=sys.stderr)
        if not forge:
            sys.path.remove(str(folder))


def generation_tab(
    name: str, *, takes_text: bool, takes_picture: bool, more: Callable[[], None] | None = None
) -> None:
    with gr.TabItem(name, id=name, elem_id=f'tab_{name}'):
        if more:
            more()
        made: dict[str, Any] = {}
        if takes_text:
            made['prompt'] = gr.Textbox(label='Prompt', interactive=True, elem_id=f'{name}_prompt')
            made['negative'] = gr.Textbox(label='Negative prompt', elem_id=f'{name}_neg_prompt')
            made['steps'] = gr.Number(20, label='Steps', elem_id=f'{name}_steps')
        if takes_picture:
            made['image'] = gr.Image(type='pil', elem_id=f'{name}_image')
        paste.fields[name] = made
        if name == 'img2img':
            paste.fields['inpaint'] = {
                **made,
                'image': gr.Image(type='pil', elem_id='inpaint_image'),
            }


def model_cards(root: Path, sdnext: bool) -> None:
    """The list of LoRAs, each on a card as AUTOMATIC1111 1.10 and Forge draw it, or SD.Next."""
    cards = ''.join(
        f'''<div class="card" onclick="window.cardsClicked = (window.cardsClicked || 0) + 1"
        data-name="{html.escape(path.stem)}" data-sort-name="{html.escape(path.name.lower())}"
        data-sort-path="{html.escape(str(path).lower())}" data-filename="{html.escape(str(path))}">
        {_signs(path, sdnext)}<span class="name">{html.escape(path.stem)}</span></div>'''
        for path in sorted((root / 'models' / 'Lora').glob('*.safetensors'))
    )
    listed = f'<div id="txt2img_lora_cards" class="extra-network-cards">{cards}</div>'
    gr.HTML(f'<div class="extra-network-pane">{listed}</div>')


def _signs(path: Path, sdnext: bool) -> str:
    if sdnext:  # over the whole width of the card, and above what lies in it
        return '''<div class="actions"><span class="details">i</span></div>'''
    return f'''<div class="button-row"><div class="copy-path-button card-button"
        data-clipboard-text="{html.escape(str(path))}"></div></div>'''


# What SD.Next says of colours, of every button and drop-down, and of the cards of models.
SDNEXT_SHEET = ''':root:root, .dark.dark { --background-color: #fff; }
:root:root, .dark.dark { --body-background-fill: var(--background-color); }
:root:root, .dark.dark { --border-color-primary: var(--background-color); }
.dark.dark { --background-color: #101010; }
.wrap-inner { padding: 2px !important; }
button { font-size: 18px !important; min-width: unset !important; }
.card { position: relative; width: 120px; height: 120px; }
.card .actions { position: absolute; top: 0; right: 0; width: 100%; z-index: 80; }
.card .actions { font-size: 34px; text-align: right; }
'''


def dress(root: Path, sheet: str) -> None:
    """Put a host's sheet, and the scripts and styles of extensions, into every page."""
    found = sorted((root / 'extensions').glob('*/javascript/*.js'))
    scripts = '\n'.join(one.read_text(encoding='utf-8') for one in found)
    head = f'<script>{scripts}</script></head>'.encode()
    found = sorted((root / 'extensions').glob('*/style.css'))
    styles = '\n'.join(one.read_text(encoding='utf-8') for one in found)
    body = f'<style>{sheet}{styles}</style></body>'.encode()
    original = gr.routes.templates.TemplateResponse

    def response(*args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        made.body = made.body.replace(b'</head>', head).replace(b'</body>', body)
        made.init_headers()
        return made

    gr.routes.templates.TemplateResponse = response


def settings_tab() -> None:
    for callback in script_callbacks.settings:
        callback()
    with gr.TabItem('Settings', id='settings', elem_id='tab_settings'):
        apply, keys = gr.Button('Apply settings', elem_id='settings_submit'), []
        fields = []
        for key, info in shared.opts.data_labels.items():
            by_type = {str: gr.Textbox, int: gr.Number, bool: gr.Checkbox}
            kind = info.component or by_type[type(info.default)]
            # SD.Next shows the label alone
            label = info.label if shared.opts.frugal else f'{info.label}{info.comment_after}'
            value, more = getattr(shared.opts, key), info.component_args or {}
            fields.append(kind(value=value, label=label, elem_id=f'setting_{key}', **more))
            keys.append(key)
        done = gr.HTML('', elem_id='settings_result')

        def save(*values: Any) -> str:
            shared.opts.apply(dict(zip(keys, values)))
            return 'applied'

        apply.click(save, inputs=fields, outputs=[done])


def be_sdnext() -> None:
    """What SD.Next does in another way, apart from its paste module."""
    paths.data_path, paths.models_path = '', 'models'  # its --data-dir is empty
    shared.opts.__dict__['frugal'] = True
    # what others log is thrown away
    logging.basicConfig(level=logging.ERROR, handlers=[logging.NullHandler()])
    module = ModuleType('modules.logger')
    module.log = logging.getLogger('sd')  # type: ignore[attr-defined]
    module.log.setLevel(logging.DEBUG)
    module.log.addHandler(logging.StreamHandler())
    sys.modules['modules.logger'] = module
    paste.fields[paste.CONTROL] = {}


def place_paste(options: argparse.Namespace) -> None:
    """Put the paste module where this host has it."""
    if options.sdnext:  # there the newer name is a file with one comment in it
        sys.modules['modules.infotext_utils'] = ModuleType('modules.infotext_utils')
    old = options.old_names or options.sdnext
    name = 'generation_parameters_copypaste' if old else 'infotext_utils'
    sys.modules[f'modules.{name}'] = paste


def page(root: Path, sdnext: bool) -> Any:
    made = [tab for callback in script_callbacks.tabs for tab in callback()]
    with gr.Blocks(analytics_enabled=False, title='Stand-in WebUI') as demo:
        with gr.Tabs(elem_id='tabs') as tabs:
            cards = functools.partial(model_cards, root, sdnext)
            generation_tab('txt2img', takes_text=True, takes_picture=False, more=cards)
            generation_tab('img2img', takes_text=True, takes_picture=True)
            generation_tab('extras', takes_text=False, takes_picture=True)
            if paste.CONTROL in paste.fields:
                generation_tab(paste.CONTROL, takes_text=True, takes_picture=False)
            for interface, title, name in made:
                with gr.TabItem(title, id=name, elem_id=f'tab_{name}'):
                    interface.render()
            settings_tab()
        paste.connect(tabs, gr.update)
    return demo


def serve(demo: Any, port: int, root: Path) -> Any:
    known = inspect.signature(demo.launch).parameters
    if MAJOR == 3:
        demo.queue(concurrency_count=64)
    else:
        demo.queue()  # Forge leaves the limit of one run of a handler at a time
    extra = {'run_history': False} if 'run_history' in known else {}
    app, _, _ = demo.launch(
        server_name='127.0.0.1',
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        allowed_paths=[str(root)],
        **extra,
    )
    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', type=Path, required=True)
    parser.add_argument('--port', type=int, required=True)
    for flag in ('--forge', '--sdnext', '--old-names', '--skip-install'):
        parser.add_argument(flag, action='store_true')
    parser.add_argument('--hide', default='')
    options = parser.parse_args()
    root = options.root.resolve()
    os.chdir(root)
    paths.data_path, paths.models_path = str(root), str(root / 'models')
    if options.sdnext:
        be_sdnext()
    shared.opts.load()
    place_paste(options)
    if options.hide:
        sys.meta_path.insert(0, Hidden(options.hide))  # type: ignore[arg-type]
    if options.forge:
        wrap_events()
    if not options.skip_install:
        run_installers(root)
    dress(root, SDNEXT_SHEET if options.sdnext else '')
    while True:
        reload = threading.Event()
        load_scripts(root, options.forge)
        shared.demo = page(root, options.sdnext)
        app = serve(shared.demo, options.port, root)
        app.add_api_route('/_reload', lambda: reload.set())
        app.add_api_route('/sdapi/v1/options', shared.opts.everything)
        for callback in script_callbacks.started:
            callback(shared.demo, app)
        print('ready', flush=True)
        reload.wait()
        shared.demo.server.force_exit = True  # open pages do not hold it up
        shared.demo.close()
        if options.sdnext:
            os.execv(sys.executable, [sys.executable, *sys.argv])


if __name__ == '__main__':
    main()
