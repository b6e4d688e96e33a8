"""The one video of the stand-in: a slow pan over a drawn landscape.

`clip.mp4` lies beside this file; `python -m civitai_demo.drawing.clip` makes it anew (needs
ffmpeg).
"""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path

from PIL import Image

from .pictures import draw_picture

CLIP_SIZE = (192, 256)
CLIP_COMPOSITION, CLIP_PALETTE = 'balloons', 0
FRAMES, FRAMES_PER_SECOND = 48, 24
_PANORAMA = (448, 256)


@lru_cache(maxsize=1)
def clip_bytes() -> bytes:
    """The stored MP4 (H.264, two seconds)."""
    return Path(__file__).with_name('clip.mp4').read_bytes()


def clip_frame(number: int) -> Image.Image:
    """Frame `number` of the clip; frame 0 is its poster."""
    way = 0.5 - abs(number / FRAMES - 0.5)
    left = round(2 * way * (_PANORAMA[0] - CLIP_SIZE[0]))
    box = (left, 0, left + CLIP_SIZE[0], CLIP_SIZE[1])
    return _panorama().crop(box)


@lru_cache(maxsize=1)
def _panorama() -> Image.Image:
    return draw_picture(CLIP_COMPOSITION, CLIP_PALETTE, 12, _PANORAMA)


def main() -> None:
    """Draw all frames and hand them to ffmpeg."""
    frames = b''.join(clip_frame(number).tobytes() for number in range(FRAMES))
    size = f'{CLIP_SIZE[0]}x{CLIP_SIZE[1]}'
    command = (
        f'ffmpeg -y -f rawvideo -pix_fmt rgb24 -s {size} -r {FRAMES_PER_SECOND} -i - -c:v libx264'
    )
    command += ' -preset veryslow -crf 26 -pix_fmt yuv420p -movflags +faststart -map_metadata -1'
    target = Path(__file__).with_name('clip.mp4')
    subprocess.run([*command.split(), str(target)], input=frames, check=True)


if __name__ == '__main__':
    main()
