"""Where we run: on our own, or inside a WebUI. The only place that knows a WebUI's modules.

What AUTOMATIC1111 1.6.0 and 1.10.1, Forge and SD.Next offer differs little; where it does, the
newer form is tried first, and told by what it offers. Stands on nothing.

models   what a WebUI knows of model files: folders, hashes, lists
layouts  where programs keep models
"""

from __future__ import annotations

import importlib
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping, Protocol, Sequence, Union

from . import models
from .layouts import Layout

OPTION_PREFIX = 'civitai_gallery_'
SEND_TARGETS = ('txt2img', 'img2img', 'inpaint', 'extras')
# SD.Next has it too, and in its Modern UI in place of the first three. Its picture is no component.
CONTROL = 'control'
TEXT_ONLY = ('txt2img', CONTROL)
# Since 1.8, and before it; SD.Next has the newer one as an empty file.
_PASTE_MODULES = ('modules.infotext_utils', 'modules.generation_parameters_copypaste')


@dataclass(frozen=True)
class Option:
    """One line of a host's settings page.

    control is the kind of component it is changed by, made with arguments besides label and value;
    fits tells whether a value, of unknown origin, may be used.
    """

    name: str
    default: Union[bool, int, float, str]
    label: str
    control: Any
    arguments: Mapping[str, Any]
    fits: Callable[[object], bool]


class Host(Protocol):
    """What the rest of the library needs from the program it lives in."""

    def downloads_folder(self) -> Path:
        """The folder a person expects downloaded pictures in; it may not exist yet."""

    def model_folder(self, kind: str) -> Path | None:
        """The folder for models of Civitai's type `kind`, None if there is none."""

    def model_folders(self, kind: str) -> tuple[Path, ...]:
        """All folders that models of `kind` are read from, first the one for new ones."""

    def models_root(self) -> Path | None:
        """The folder that most folders of models are in, None if nothing here uses models."""

    def model_layout(self) -> Layout | None:
        """How models are laid out here, None if nothing here uses them."""

    def kept_hashes(self, path: Path, kind: str) -> tuple[str, str]:
        """SHA256 of a model's file, and that of its tensors, as the host noted them; '' if not."""

    def refresh_models(self, kind: str) -> bool:
        """Have the host look for new models of `kind`; False if it cannot. Never raises."""

    def option(self, name: str) -> object:
        """What the host's settings page says for our setting `name`, None if nothing."""

    def language(self) -> str:
        """What the host calls the language of its own page, '' if it does not say."""

    def send_targets(self) -> Sequence[str]:
        """Where a picture's settings can be sent, as names of tabs."""

    def bind_send(self, target: str, button: Any, text: Any, image: Any) -> None:
        """Make `button` send the infotext in `text`, and `image` if the tab takes one."""


class StandaloneHost:
    """No WebUI around us."""

    def downloads_folder(self) -> Path:
        """A folder in the user's own pictures folder."""
        import platformdirs  # here, because a WebUI that lacks it still wants to hear of it

        return platformdirs.user_pictures_path() / 'Civitai Gallery'

    def model_folder(self, kind: str) -> Path | None:
        """Nothing here uses models."""
        return None

    def model_folders(self, kind: str) -> tuple[Path, ...]:
        """Nothing here uses models."""
        return ()

    def models_root(self) -> Path | None:
        """Nothing here uses models."""
        return None

    def model_layout(self) -> Layout | None:
        """Nothing here uses models."""
        return None

    def kept_hashes(self, path: Path, kind: str) -> tuple[str, str]:
        """Nobody noted any."""
        return '', ''

    def refresh_models(self, kind: str) -> bool:
        """There is nobody to look."""
        return False

    def option(self, name: str) -> object:
        """There is no other settings page than ours."""
        return None

    def language(self) -> str:
        """There is no other page than ours."""
        return ''

    def send_targets(self) -> Sequence[str]:
        """There is nowhere to send to."""
        return ()

    def bind_send(self, target: str, button: Any, text: Any, image: Any) -> None:
        """Never asked for, as there are no targets."""


class WebuiHost:
    """AUTOMATIC1111, Forge or SD.Next."""

    def downloads_folder(self) -> Path:
        """`outputs/download-images` below the folder the WebUI keeps its data in."""
        from modules import paths

        return models.full(paths.data_path) / 'outputs' / 'download-images'

    def model_folder(self, kind: str) -> Path | None:
        """The folder of the host's own option for that kind, else its usual place."""
        return next(iter(self.model_folders(kind)), None)

    def model_folders(self, kind: str) -> tuple[Path, ...]:
        """The folder of the host's own option, then its usual ones."""
        return models.folders(kind)

    def models_root(self) -> Path | None:
        """The host's own."""
        return models.root()

    def model_layout(self) -> Layout | None:
        """That of the host at hand."""
        return models.layout()

    def kept_hashes(self, path: Path, kind: str) -> tuple[str, str]:
        """Those in the host's own cache."""
        return models.kept_hashes(path, kind)

    def refresh_models(self, kind: str) -> bool:
        """By the host's own functions."""
        return models.refresh(kind)

    def option(self, name: str) -> object:
        """The option as it is now: a change on the settings page counts at once."""
        from modules import shared

        return getattr(shared.opts, OPTION_PREFIX + name, None)

    def language(self) -> str:
        """The name of the chosen localization, as its file is called: zh_TW, zh-Hant_Stable."""
        from modules import shared

        return str(getattr(shared.opts, 'localization', None) or '')

    def send_targets(self) -> Sequence[str]:
        """The tabs that take infotext or a picture, none if nothing here sends it."""
        paste = _paste()
        if paste is None:
            return ()
        has_control = CONTROL in getattr(paste, 'paste_fields', ())
        return (*SEND_TARGETS, CONTROL) if has_control else SEND_TARGETS

    def bind_send(self, target: str, button: Any, text: Any, image: Any) -> None:
        """Hand the button to the host's own paste machinery, which also changes the tab."""
        paste = _paste()
        paste.register_paste_params_button(
            paste.ParamBinding(
                paste_button=button,
                tabname=target,
                source_text_component=text,
                source_image_component=None if target in TEXT_ONLY else image,
            )
        )

    def add_options(self, section: str, options: Sequence[Option]) -> None:
        """Put our settings on the host's page, in a section of our own.

        A value that does not fit is replaced by the default: hosts read their file before they
        know our options, and their components cannot be made, or be applied, with just anything.
        """
        from modules import shared

        place = (OPTION_PREFIX.rstrip('_'), section)
        for option in options:
            key, arguments = OPTION_PREFIX + option.name, dict(option.arguments)
            made = shared.OptionInfo(
                option.default, option.label, option.control, arguments, section=place
            )
            shared.opts.add_option(key, made)
            if not option.fits(getattr(shared.opts, key, None)):
                shared.opts.data[key] = option.default

    def take_log_of(self, ours: logging.Logger) -> None:
        """Have warnings of `ours` reach the host's log, where it drops what others than it log."""
        if ours.isEnabledFor(logging.WARNING):
            return
        try:
            from modules.logger import log  # SD.Next
        except ImportError:
            ours.addHandler(logging.StreamHandler())
        else:
            ours.addHandler(_HandedOn(log))
        ours.setLevel(logging.WARNING)

    def register(
        self,
        tab: Callable[[], Any],
        settings: Callable[[], None],
        started: Callable[[Any, Any], None] | None = None,
    ) -> None:
        """Have `tab` called when the page is built, `settings` when the settings page is.

        `started` is called with the page and its web application once that runs, at each start.
        """
        from modules import script_callbacks

        script_callbacks.on_ui_tabs(tab)
        script_callbacks.on_ui_settings(settings)
        if started and hasattr(script_callbacks, 'on_app_started'):
            script_callbacks.on_app_started(started)


class _HandedOn(logging.Handler):
    """Gives records to another logger, whatever handlers that has by then."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on."""
        self._log.handle(record)


def _paste() -> Any:
    """The module of the host that sends infotext and pictures to its tabs, None without one."""
    for name in _PASTE_MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        if hasattr(module, 'register_paste_params_button'):
            return module
    return None


def detect() -> Host:
    """Return the host we run in; a WebUI has its own modules loaded long before ours."""
    return WebuiHost() if 'modules.shared' in sys.modules else StandaloneHost()
