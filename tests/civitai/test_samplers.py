"""The names that a WebUI knows a sampler and a noise schedule by."""

from __future__ import annotations

import pytest

from scripts.civitai_manager_libs.civitai.samplers import schedule_name, webui_names

# what AUTOMATIC1111 v1.10.1 offers in its two lists
SAMPLERS = (
    'DPM++ 2M|DPM++ SDE|DPM++ 2M SDE|DPM++ 2M SDE Heun|DPM++ 2S a|DPM++ 3M SDE|Euler a|Euler|LMS|'
    'Heun|DPM2|DPM2 a|DPM fast|DPM adaptive|Restart|DDIM|DDIM CFG++|PLMS|UniPC|LCM'
).split('|')
SCHEDULES = (
    'Automatic|Uniform|Karras|Exponential|Polyexponential|SGM Uniform|KL Optimal|Align Your Steps|'
    'Simple|Normal|DDIM|Beta'
).split('|')

OF_COMFYUI = {
    'euler': 'Euler',
    'euler_ancestral': 'Euler a',
    'heun': 'Heun',
    'dpm_2': 'DPM2',
    'dpm_2_ancestral': 'DPM2 a',
    'lms': 'LMS',
    'dpm_fast': 'DPM fast',
    'dpm_adaptive': 'DPM adaptive',
    'dpmpp_2s_ancestral': 'DPM++ 2S a',
    'dpmpp_sde': 'DPM++ SDE',
    'dpmpp_sde_gpu': 'DPM++ SDE',
    'dpmpp_2m': 'DPM++ 2M',
    'dpmpp_2m_sde': 'DPM++ 2M SDE',
    'dpmpp_2m_sde_gpu': 'DPM++ 2M SDE',
    'dpmpp_2m_sde_heun': 'DPM++ 2M SDE Heun',
    'dpmpp_2m_sde_heun_gpu': 'DPM++ 2M SDE Heun',
    'dpmpp_3m_sde': 'DPM++ 3M SDE',
    'dpmpp_3m_sde_gpu': 'DPM++ 3M SDE',
    'lcm': 'LCM',
    'ddim': 'DDIM',
    'uni_pc': 'UniPC',
    'uni_pc_bh2': 'UniPC',
}
NOWHERE = (
    'heunpp2 ipndm ipndm_v deis ddpm res_multistep res_multistep_ancestral er_sde seeds_2 '
    'sa_solver gradient_estimation euler_cfg_pp euler_ancestral_cfg_pp dpmpp_2m_cfg_pp my_own'
).split()
OF_OTHERS = {
    'k_euler': 'Euler',
    'k_euler_a': 'Euler a',
    'k_euler_ancestral': 'Euler a',
    'K_LMS': 'LMS',
    'k_dpm_2_a': 'DPM2 a',
    'k_dpm_ad': 'DPM adaptive',
    'k_dpmpp_2s_a': 'DPM++ 2S a',
    'sample_dpmpp_2m': 'DPM++ 2M',
    'unipc': 'UniPC',
    'plms': 'PLMS',
    'euler a': 'Euler a',
    'Euler Ancestral': 'Euler a',
    'EULER A': 'Euler a',
    'dpm++ 2m sde': 'DPM++ 2M SDE',
    'DPM++ 3m Sde': 'DPM++ 3M SDE',
    'dpm++_2m': 'DPM++ 2M',
}
SCHEDULES_OF_COMFYUI = {
    'normal': 'Normal',
    'karras': 'Karras',
    'exponential': 'Exponential',
    'sgm_uniform': 'SGM Uniform',
    'simple': 'Simple',
    'ddim_uniform': 'DDIM',
    'beta': 'Beta',
    'kl_optimal': 'KL Optimal',
    'linear_quadratic': 'linear_quadratic',
    'KARRAS': 'Karras',
    'Undefined': '',
}
BOTH = {
    'dpmpp_2m_karras': ('DPM++ 2M', 'Karras'),
    'dpmpp_2m_sde_gpu_karras': ('DPM++ 2M SDE', 'Karras'),
    'euler_ancestral_normal': ('Euler a', 'Normal'),
    'euler_sgm_uniform': ('Euler', 'SGM Uniform'),
    'ddim_ddim_uniform': ('DDIM', 'DDIM'),
    'k_dpmpp_2m_ka': ('DPM++ 2M', 'Karras'),
    'k_dpmpp_2m_sde_exp': ('DPM++ 2M SDE', 'Exponential'),
    'euler simple': ('Euler', 'Simple'),
    'dpm++ 2m karras': ('DPM++ 2M', 'Karras'),
}


@pytest.mark.parametrize('name', SAMPLERS)
def test_a_name_of_the_webui_stays(name: str) -> None:
    assert (name, 'Beta') == webui_names(name, 'Beta')


@pytest.mark.parametrize('name', SCHEDULES)
def test_a_schedule_of_the_webui_stays(name: str) -> None:
    assert name == schedule_name(name)


@pytest.mark.parametrize(
    'name', ['DPM++ 2M Karras', 'DPM2 a Karras', 'DPM++ 2M SDE Heun Exponential']
)
def test_the_older_names_of_the_webui_for_both_stay(name: str) -> None:
    assert (name, '') == webui_names(name)


@pytest.mark.parametrize(
    ('name', 'expected'), {**OF_COMFYUI, **OF_OTHERS}.items(), ids=[*OF_COMFYUI, *OF_OTHERS]
)
def test_other_programs_names_become_the_webuis(name: str, expected: str) -> None:
    assert expected in SAMPLERS
    assert (expected, 'Karras') == webui_names(name, 'karras')


@pytest.mark.parametrize('name', NOWHERE)
def test_a_sampler_that_the_webui_does_not_have_keeps_its_name(name: str) -> None:
    assert (name, 'Beta') == webui_names(name, 'beta')


@pytest.mark.parametrize(
    ('name', 'expected'), SCHEDULES_OF_COMFYUI.items(), ids=SCHEDULES_OF_COMFYUI
)
def test_schedules_of_comfyui_become_the_webuis(name: str, expected: str) -> None:
    assert ('Euler', expected) == webui_names('euler', name)


@pytest.mark.parametrize(('name', 'expected'), BOTH.items(), ids=BOTH)
def test_a_name_of_both_tells_both(name: str, expected: tuple[str, str]) -> None:
    assert expected == webui_names(name)
    assert expected == webui_names(name, 'simple')


@pytest.mark.parametrize('name', ['', ' ', 'Undefined', 'undefined'], ids=repr)
def test_no_sampler_is_none(name: str) -> None:
    assert ('', 'Simple') == webui_names(name, 'simple')


def test_a_huge_name_is_only_a_name() -> None:
    name = 'a_' * 100_000
    assert name == webui_names(name)[0]
