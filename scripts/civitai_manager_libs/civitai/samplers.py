"""Samplers and noise schedules, as ComfyUI and others call them, under the names of the WebUI.

The WebUI takes its first sampler for a name that it does not know, without a word, and another
picture comes out. Its names are those of AUTOMATIC1111 v1.10.1; to case it is strict as well.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Iterator

# The WebUI's name, and all others of the same: ComfyUI's first, then those of other programs.
_SAMPLERS = {
    'Euler': 'euler',
    'Euler a': 'euler_ancestral euler_a',
    'Heun': 'heun',
    'LMS': 'lms',
    'DPM2': 'dpm_2 dpm2 kdpm_2',
    'DPM2 a': 'dpm_2_ancestral dpm_2_a dpm2_a dpm2_ancestral kdpm_2_a',
    'DPM fast': 'dpm_fast',
    'DPM adaptive': 'dpm_adaptive dpm_ad',
    'DPM++ 2S a': 'dpmpp_2s_ancestral dpmpp_2s_a',
    'DPM++ SDE': 'dpmpp_sde dpmpp_sde_gpu',
    'DPM++ 2M': 'dpmpp_2m',
    'DPM++ 2M SDE': 'dpmpp_2m_sde dpmpp_2m_sde_gpu',
    'DPM++ 2M SDE Heun': 'dpmpp_2m_sde_heun dpmpp_2m_sde_heun_gpu',
    'DPM++ 3M SDE': 'dpmpp_3m_sde dpmpp_3m_sde_gpu',
    'LCM': 'lcm',
    'DDIM': 'ddim',
    'DDIM CFG++': 'ddim_cfg_pp ddim_cfgpp',
    'PLMS': 'plms',
    'UniPC': 'uni_pc uni_pc_bh2 unipc',
    'Restart': 'restart',
}
_SCHEDULES = {
    'Automatic': 'automatic',
    'Uniform': 'uniform',
    'Karras': 'karras ka k',
    'Exponential': 'exponential exp',
    'Polyexponential': 'polyexponential',
    'SGM Uniform': 'sgm_uniform sgmuniform',
    'KL Optimal': 'kl_optimal',
    'Align Your Steps': 'align_your_steps ays',
    'Simple': 'simple',
    'Normal': 'normal',
    'DDIM': 'ddim_uniform ddim',
    'Beta': 'beta',
}


def _plain(name: str) -> str:
    """`name` without what differs between the programs' ways of writing it."""
    return re.sub(r'[\s_\-]+', '_', name.strip().lower().replace('++', 'pp'))


def _table(names: dict[str, str]) -> dict[str, str]:
    return {plain: ours for ours, others in names.items() for plain in others.split()} | {
        _plain(ours): ours for ours in names
    }


_SAMPLER_BY_NAME, _SCHEDULE_BY_NAME = _table(_SAMPLERS), _table(_SCHEDULES)


def schedule_name(schedule: str) -> str:
    """Return the WebUI's name of a noise schedule, `schedule` itself where there is none."""
    plain = _plain(schedule)
    return '' if plain in ('', 'undefined') else _SCHEDULE_BY_NAME.get(plain, schedule)


@lru_cache(maxsize=256)  # the pictures of a gallery name few
def webui_names(sampler: str, schedule: str = '') -> tuple[str, str]:
    """Return the WebUI's names of a sampler and a noise schedule, each '' if it is not told.

    'dpmpp_2m_karras' and the like name both; the schedule in such a name counts, as it does in
    the WebUI, which also knows 'DPM++ 2M Karras'. What has no name there stays as it is.
    """
    plain, schedule = _plain(sampler), schedule_name(schedule)
    if plain in ('', 'undefined'):  # 'Undefined' is the on-site generator's word for none
        return '', schedule
    bare = re.sub('^(?:k|sample)_', '', plain)
    for name in (plain, bare):
        if name in _SAMPLER_BY_NAME:
            return _SAMPLER_BY_NAME[name], schedule
    for stem, ending in _splits(bare):
        if stem in _SAMPLER_BY_NAME and ending in _SCHEDULE_BY_NAME:
            both = f'{_SAMPLER_BY_NAME[stem]} {_SCHEDULE_BY_NAME[ending]}'
            if sampler == both:
                return sampler, schedule
            return _SAMPLER_BY_NAME[stem], _SCHEDULE_BY_NAME[ending]
    return sampler, schedule


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """`name` parted at each of its gaps, but not into more than a name can have."""
    words = name.split('_', 12)
    for at in range(1, len(words)):
        yield '_'.join(words[:at]), '_'.join(words[at:])
