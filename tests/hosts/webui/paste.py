"""Sending infotext and a picture to another tab; `run.py` puts it where a host has it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from PIL import Image

registered: list[ParamBinding] = []
fields: dict[str, dict[str, Any]] = {}
CONTROL = 'control'  # a tab of SD.Next, known before those of extensions are made
paste_fields = fields  # as hosts call it
LAST_USED = 'what was drawn last\nSteps: 7'


@dataclass
class ParamBinding:
    paste_button: Any
    tabname: str
    source_text_component: Any = None
    source_image_component: Any = None


def register_paste_params_button(binding: ParamBinding) -> None:
    registered.append(binding)


def parse(text: str) -> tuple[str, str, int]:
    """Prompt, negative prompt and steps of an infotext; of the last one used if it is empty."""
    lines = (text or LAST_USED).split('\n')
    last = lines.pop() if 'Steps: ' in lines[-1] else ''
    prompt, _, negative = '\n'.join(lines).partition('\nNegative prompt: ')
    steps = re.search(r'Steps: (\d+)', last)
    return prompt, negative, int(steps[1]) if steps else 20


def received(picture: Any) -> Any:
    """A picture as a host takes it: nothing, or one that its component has decoded."""
    if picture is not None and not isinstance(picture, Image.Image):
        raise TypeError(f'not a picture: {type(picture)}')
    return picture


def connect(tabs: Any, update: Any) -> None:
    """Wire what was registered, once all tabs are built; `update` makes a component's update."""
    for binding in registered:
        target = fields[binding.tabname]
        if binding.source_image_component is not None and 'image' in target:
            binding.paste_button.click(
                received, inputs=[binding.source_image_component], outputs=[target['image']]
            )
        if binding.source_text_component is not None and 'prompt' in target:
            binding.paste_button.click(
                parse,
                inputs=[binding.source_text_component],
                outputs=[target['prompt'], target['negative'], target['steps']],
            )
        select = binding.tabname if binding.tabname != 'inpaint' else 'img2img'
        binding.paste_button.click(lambda name=select: update(selected=name), outputs=[tabs])
    registered.clear()
