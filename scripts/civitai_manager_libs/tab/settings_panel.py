"""The settings panel of the standalone app, and the field for the API key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Sequence

import gradio as gr

from .. import api, civitai_gallery_action as action, setting, texts, widgets
from ..access.owner import Finding
from ..errors import CivitaiError, KeyNeededError
from ..setting.kinds import Setting, Value, is_template
from . import browser, cache_panel, markup
from .markup import PREFIX, label

_MASKED = '••••••••'
# Those that people change; the others are folded.
_EVERYDAY = (
    'gallery_maturity_ceiling',
    'language',
    'gallery_columns',
    'gallery_rows',
    'gallery_endless',
    'gallery_embed_infotext',
    'download_images_folder',
    'models_folder',
)


def build_key(blocks: Any) -> None:
    """Make a panel for the API key alone, closed at first; `blocks` is the page it is on.

    It tells where a WebUI has the settings.
    """
    with gr.Accordion(label('key_title'), open=False, elem_id=f'{PREFIX}_key'):
        gr.HTML(f'<p>{widgets.escape(label("settings_of_webui"))}</p>')
        _key(blocks)


def _key(blocks: Any) -> None:
    """Make the field for the API key. The key never goes back to a browser."""
    with gr.Row(elem_id=f'{PREFIX}_key_row'):
        field = gr.Textbox(
            label=label('key_title'),
            type='password',
            info=label('key_help'),
            interactive=not setting.key_is_fixed(),
            elem_id=f'{PREFIX}_api_key',
            scale=6,
        )
        save = gr.Button(
            label('key_save'),
            interactive=not setting.key_is_fixed(),
            elem_id=f'{PREFIX}_key_save',
            scale=1,
        )
        remove = gr.Button(
            label('key_remove'),
            interactive=not setting.key_is_fixed(),
            elem_id=f'{PREFIX}_key_remove',
            scale=1,
        )
    told = _shown_key_state()
    state = gr.HTML(told, elem_id=f'{PREFIX}_key_status')

    def opened() -> Any:
        """How it stands, where the page does not say so: an answer to a press may be there."""
        now = _shown_key_state()
        return now if now != told else gr.update()

    widgets.on(
        save.click, _save_key, inputs=[field], outputs=[field, state], show_progress='hidden'
    )
    widgets.on(remove.click, _remove_key, outputs=[state], show_progress='hidden')
    widgets.on(blocks.load, opened, outputs=[state], show_progress='hidden')


def _shown_key_state() -> str:
    return markup.notice(_key_state())


def _key_state() -> str:
    if setting.key_is_fixed():
        return label('key_from_environment')
    return label('key_set', masked=_MASKED) if setting.civitai_api_key else label('key_none')


def _save_key(request: gr.Request, key: Any) -> tuple[str, str]:
    """Keep a key and try it; the field is emptied in any case.

    One that Civitai does not know leaves the one before in place, and so does an empty field: a
    second press finds the field as the first one left it.
    """
    refused = _refused(request)
    if refused:
        return '', refused
    if not str(key or '').strip():
        return '', markup.notice(markup.sentences(label('key_empty'), _key_state()))
    before = setting.civitai_api_key
    try:
        _use_key(str(key))
        name = api.whoami(action.get_http_client())
    except KeyNeededError:
        _use_key(before)
        return '', markup.notice(label('key_refused'), 'problem')
    except CivitaiError as error:
        told = markup.sentences(_key_state(), error.message_in(setting.language))
        return '', markup.notice(told, 'problem')
    told = markup.sentences(label('key_saved', masked=_MASKED), label('key_works', username=name))
    return '', markup.notice(told, 'good')


def _remove_key(request: gr.Request) -> str:
    """Have no key from now on."""
    refused, before = _refused(request), setting.civitai_api_key
    if refused:
        return refused
    try:
        _use_key('')
    except CivitaiError as error:
        return markup.problem(error)
    return markup.notice(label('key_removed' if before else 'key_none'), 'good')


def _refused(request: gr.Request) -> str:
    """Why who asks may not change the key, '' for its owner."""
    asked_by = widgets.asked_by(request)
    if asked_by is Finding.OWNER:
        return ''
    refusal = [label('key_not_from_here'), *_by_hand(asked_by, setting.api_key_file())]
    return markup.notice(markup.sentences(*refusal), 'problem')


def _by_hand(asked_by: Finding, path: Path) -> list[str]:
    """What else to say to somebody who may well be the owner: the file to edit instead."""
    return [label('owner_untold', path=path)] if asked_by is Finding.UNTOLD else []


def _use_key(key: str) -> None:
    setting.save_api_key(key)
    action.get_http_client().update_api_key(key)


def build_panel(blocks: Any, translate: Callable[[], None]) -> None:
    """Make the panel of all settings, closed at first; `blocks` is the page it is on.

    `translate` has the page in another language for who opens it from then on.
    """
    with gr.Accordion(label('settings_title'), open=False, elem_id=f'{PREFIX}_settings'):
        state = gr.HTML('', elem_id=f'{PREFIX}_settings_status')
        fields = _fields(blocks)
        shown = gr.State([])  # the values that this browser tab was given
        # before the values have come, what the fields hold is nobody's
        identity = f'{PREFIX}_settings_save'
        save = gr.Button(label('settings_save'), elem_id=identity, interactive=False)
    cache_panel.build(blocks)

    def opened(request: gr.Request) -> list[Any]:
        current = _current(request)
        return [*current, current, gr.update(interactive=True)]

    def save_all(request: gr.Request, before: list[Any], *values: Any) -> tuple[str, list[Any]]:
        spoken = texts.spoken(setting.language)
        told = _save_settings(request, *values, shown=before)
        if texts.spoken(setting.language) != spoken:
            translate()
            told += browser.language.CHANGED
        return told, _shown_now(before, values)

    saved = widgets.on(
        save.click,
        save_all,
        inputs=[shown, *fields],
        outputs=[state, shown],
        show_progress='hidden',
    )
    widgets.on(saved.then, None, inputs=[state], js=browser.language.OPEN_ANEW)
    widgets.on(blocks.load, opened, outputs=[*fields, shown, save], show_progress='hidden')


def _fields(blocks: Any) -> list[Any]:
    """Make a field for each setting, the everyday ones and the key first.

    Return those of the settings as they are listed.
    """
    items = {item.name: item for item in setting.SETTINGS}
    with gr.Row():
        made = {name: _field(items.pop(name)) for name in _EVERYDAY}
    with gr.Column(elem_id=f'{PREFIX}_key'):
        _key(blocks)
    with gr.Accordion(label('settings_more'), open=False, elem_id=f'{PREFIX}_settings_more'):
        with gr.Row():
            made |= {name: _field(item) for name, item in items.items()}
    return [made[item.name] for item in setting.SETTINGS]


def _current(request: gr.Request) -> list[Any]:
    """The settings as they are when the page opens; the owner's for the owner only."""
    is_owner = widgets.is_owner(request)
    return [
        getattr(setting, item.name) if is_owner or not item.owner_only else _hidden(item)
        for item in setting.SETTINGS
    ]


def _hidden(item: Setting) -> Value:
    """What is shown to others in place of what is the owner's: a default that tells nothing."""
    tells = isinstance(item.default, str) and item.is_good is not is_template
    return '' if tells else item.default


def _field(item: Setting) -> Any:
    shown: dict[str, Any] = {
        'label': label(f'setting_{item.name}'),
        'info': _help(item),
        # the page config goes to everybody; the owner's values follow when the page opens
        'value': _hidden(item) if item.owner_only else getattr(setting, item.name),
        'interactive': not setting.is_fixed(item),
        'elem_id': f'{PREFIX}_setting_{item.name}',
        'min_width': 280,
    }
    if item.choices:
        return widgets.component(gr.Dropdown, choices=choices(item), **shown)
    if isinstance(item.default, bool):
        return widgets.component(gr.Checkbox, **shown)
    if isinstance(item.default, str):
        return widgets.component(gr.Textbox, **shown)
    # the range is checked when they are saved: gradio would refuse without saying which one
    precision = 0 if isinstance(item.default, int) else None
    return widgets.component(gr.Number, precision=precision, **shown)


def choices(item: Setting) -> list[Any]:
    """What can be chosen, by its name; what is kept stays as it is in the settings file."""
    named = [(name, choice) for choice, name in _names(item).items()]
    return named if widgets.names_choices() else list(item.choices)


def _names(item: Setting) -> dict[str, str]:
    """What each choice of a setting is called."""
    if item.name != 'language':
        return dict(zip(item.choices, item.choices))
    return {choice: label(f'language_{choice}') for choice in item.choices}


def _help(item: Setting) -> str:
    """What a setting does, and from where to where a number may go."""
    told = label(f'setting_{item.name}_help')
    if item.choices or isinstance(item.default, (str, bool)):
        return told
    return label('setting_help_range', help=told, **_bounds(item))


def _bounds(item: Setting) -> dict[str, str]:
    return {'minimum': f'{item.minimum:.9g}', 'maximum': f'{item.maximum:.9g}'}


def _save_settings(request: gr.Request, *values: Any, shown: Sequence[Any] = ()) -> str:
    """Take over and keep what the panel says; name what is not usable and keep the rest.

    Only for the owner, whose settings they are, whoever else may use the app.
    `shown` is what this tab was given: what it left as it was is not touched, because another
    tab may have changed it in the meantime. Without it the settings are compared.
    """
    asked_by = widgets.asked_by(request)
    if asked_by is not Finding.OWNER:
        refusal = [label('settings_not_from_here'), *_by_hand(asked_by, setting.settings_file())]
        return markup.notice(markup.sentences(*refusal), 'problem')
    before = shown or [getattr(setting, item.name) for item in setting.SETTINGS]
    given = {
        item: value
        for item, value, old in zip(setting.SETTINGS, values, before)
        if not setting.is_fixed(item) and item.fitting(value) != old
    }
    try:
        bad = setting.save({item.name: value for item, value in given.items()})
    except CivitaiError as error:
        return markup.notice(error.message_in(setting.language), 'problem')
    refused = {item: value for item, value in given.items() if item.name in bad}
    told = [_what_was_saved([item for item in given if item not in refused])]
    if refused:
        names = markup.listed(*map(_with_range, refused))
        told += [label('settings_refused', names=names)]
        told += [item.why_not(value, setting.language) for item, value in refused.items()]
    mood = 'problem' if refused else 'good'
    return markup.notice(markup.sentences(*told), mood)


def _what_was_saved(items: Sequence[Setting]) -> str:
    """Which settings were saved, and when what they change is seen."""
    if not items:
        return label('settings_same')
    names = markup.listed(*(label(f'setting_{item.name}') for item in items))
    told = [label('settings_saved', names=names)]
    told += [
        label(f'settings_later_{name}')
        for name in ('gallery_columns', 'language')
        if any(item.name == name for item in items)
    ]
    return markup.sentences(*told)


def _with_range(item: Setting) -> str:
    """The label of a setting, with the values it may have where that can be said."""
    name = label(f'setting_{item.name}')
    if item.choices:
        return label('setting_choices', name=name, choices=markup.listed(*_names(item).values()))
    if isinstance(item.default, (str, bool)):
        return name
    return label('setting_range', name=name, **_bounds(item))


def _shown_now(before: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """What the tab shows and is a setting; what was refused counts as changed still."""
    return [
        value if item.fitting(value) == getattr(setting, item.name) else old
        for item, value, old in zip(setting.SETTINGS, values, before)
    ]
