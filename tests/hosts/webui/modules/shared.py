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
        self,
        default: Any = None,
        label: str = '',
        component: Any = None,
        component_args: Any = None,
        onchange: Any = None,
        section: Any = None,
    ) -> None:
        if component is None and type(default) not in (str, int, bool):
            raise ValueError(f'bad options item type: {type(default)} for key {label}')
        self.default = default
        self.label = label
        self.component = component
        self.component_args = component_args
        self.section = section
        self.comment_after = ''

    def info(self, text: str) -> OptionInfo:
        self.comment_after += f' ({text})'
        return self


class Options:
    """All options; what was applied is in config.json at once.

    Those of extensions are not known yet as the file is read, so nothing checks them. SD.Next
    (`frugal`) holds and keeps only what differs from the defaults.
    """

    def __init__(self) -> None:
        self.__dict__.update(data_labels={}, data={}, frugal=False)

    @property
    def file(self) -> str:
        return os.path.join(paths.data_path, 'config.json')

    def load(self) -> None:
        if os.path.isfile(self.file):
            with open(self.file, encoding='utf-8') as file:
                self.data.update(json.load(file))

    def add_option(self, key: str, info: OptionInfo) -> None:
        self.data_labels[key] = info
        if not self.frugal and key not in self.data:
            self.data[key] = info.default

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__['data']:
            return self.__dict__['data'][name]
        if name in self.__dict__['data_labels']:
            return self.__dict__['data_labels'][name].default
        raise AttributeError(name)

    def same_type(self, value: Any, default: Any) -> bool:
        kinds = [float if type(v) is int else type(v) for v in (value, default)]
        return value is None or default is None or kinds[0] == kinds[1]

    def everything(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.data_labels}

    def apply(self, values: dict[str, Any]) -> None:
        for key, value in values.items():
            default = self.data_labels[key].default
            assert self.same_type(value, default), f'Bad value for setting {key}: {value!r}'
        self.data.update(values)
        kept = self.data
        if self.frugal:
            plain = {key: info.default for key, info in self.data_labels.items()}
            kept = {k: v for k, v in kept.items() if k not in plain or v != plain[k]}
        with open(self.file, 'w', encoding='utf-8') as file:
            json.dump(kept, file)


opts = Options()
