"""Options and command line, as a WebUI offers them to extensions."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any

from modules import paths

cmd_opts = SimpleNamespace(
    ckpt_dir=None, vae_dir=None, lora_dir=None, embeddings_dir=None, hide_ui_dir_config=False
)
demo: Any = None


class OptionInfo:
    """One option; without a component, its kind follows from the type of the default."""

    def __init__(
        self, default: Any = None, label: str = '', component: Any = None, section: Any = None
    ) -> None:
        if component is None and type(default) not in (str, int, bool):
            raise ValueError(f'bad options item type: {type(default)} for key {label}')
        self.default = default
        self.label = label
        self.section = section
        self.comment_after = ''

    def info(self, text: str) -> OptionInfo:
        self.comment_after += f' ({text})'
        return self


class Options:
    """All options; what was applied is in config.json at once."""

    def __init__(self) -> None:
        self.__dict__['data_labels'] = {}
        self.__dict__['data'] = {}

    @property
    def file(self) -> str:
        return os.path.join(paths.data_path, 'config.json')

    def add_option(self, key: str, info: OptionInfo) -> None:
        self.data_labels[key] = info
        if key not in self.data:
            self.data[key] = info.default

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__['data'][name]
        except KeyError:
            raise AttributeError(name) from None

    def apply(self, values: dict[str, Any]) -> None:
        self.data.update(values)
        with open(self.file, 'w', encoding='utf-8') as file:
            json.dump(self.data, file)


opts = Options()
