"""Harmless prompts that say what the drawn picture shows."""

from __future__ import annotations

import random
from typing import Mapping

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    'hills': (
        'rolling hills fading into haze',
        'soft ridges behind one another',
        'a valley of gentle hills',
    ),
    'peaks': ('snow-capped mountains', 'a jagged alpine range', 'three rows of sharp peaks'),
    'sea': (
        'calm sea under a low sun',
        'sunlight broken on small waves',
        'a quiet bay at the end of the day',
    ),
    'dunes': ('sweeping sand dunes', 'desert dunes with shaded flanks', 'wind-shaped sand'),
    'forest': ('rows of fir trees in mist', 'a northern forest at first light', 'pine silhouettes'),
    'aurora': ('northern lights over dark hills', 'curtains of aurora', 'a starry polar night'),
    'city': (
        'an old town at dusk with lit windows',
        'rooftops against the sunset',
        'a city skyline',
    ),
    'planets': (
        'a ringed planet with moons',
        'distant worlds in a starry sky',
        'two planets and a nebula',
    ),
    'balloons': (
        'hot-air balloons over hills',
        'striped balloons in the morning',
        'a balloon festival',
    ),
    'bokeh': ('soft discs of light out of focus', 'abstract bokeh', 'floating translucent lights'),
    'ribbons': (
        'flowing translucent ribbons',
        'overlapping silk bands',
        'abstract waves of colour',
    ),
    'strata': (
        'layered paper waves',
        'paper-cut strata with soft shadows',
        'stacked coloured paper',
    ),
    'mosaic': ('low-poly mosaic of triangles', 'faceted glass', 'a crystalline pattern of light'),
    'rings': (
        'concentric circles',
        'overlapping rings, mid-century poster',
        'ripples of flat colour',
    ),
    'mandala': ('a flower of overlapping petals', 'a geometric dahlia', 'a symmetrical rosette'),
    'tiles': ('quilt of quarter circles and discs', 'Bauhaus tiles', 'geometric ceramic pattern'),
    'silk': ('folds of coloured silk', 'marbled liquid colour', 'abstract agate, soft glow'),
    'contours': ('topographic layers in flat colour', 'contour map', 'stepped cut-out shapes'),
    'leaves': ('scattered pressed leaves', 'a botanical leaf pattern', 'leaves drifting on paper'),
    'weave': ('diagonal woven bands', 'transparent crossing stripes', 'a loose textile weave'),
}
LIGHTS = (
    'soft diffused light',
    'golden hour',
    'blue hour',
    'early morning haze',
    'gentle rim light',
    'warm backlight',
    'clear winter light',
    'overcast, even light',
)
STYLES = (
    'flat vector illustration',
    'gouache on paper',
    'screen print',
    'risograph texture',
    'minimalist poster',
    'paper-cut art',
    'children\'s book illustration',
    'matte painting',
    'mid-century modern design',
)
EXTRAS = (
    'clean shapes',
    'wide empty space',
    'balanced composition',
    '(smooth gradients:1.2)',
    'limited palette',
    'calm mood',
    'subtle depth',
    'crisp edges',
    'best quality',
    '[grain::0.4]',
)
NEGATIVES = (
    'text, watermark, signature, blurry, jpeg artifacts',
    'lowres, noise, banding, frame, border',
    'photo, people, text, logo, oversaturated',
    '(worst quality, low quality:1.4), text, watermark',
    '',
)


def write_prompt(composition: str, palette_name: str, dice: random.Random) -> str:
    """A prompt for a picture of `composition` in the colours of `palette_name`."""
    parts = [dice.choice(SUBJECTS[composition]), f'{palette_name} colours']
    parts += [dice.choice(LIGHTS), dice.choice(STYLES)]
    parts += dice.sample(EXTRAS, dice.randint(1, 3))
    return ', '.join(parts)


def write_negative(dice: random.Random) -> str:
    """A negative prompt, sometimes none."""
    return dice.choice(NEGATIVES)
