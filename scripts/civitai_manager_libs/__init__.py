"""Civitai Gallery: browse Civitai galleries, keep pictures and their prompts."""

__version__ = '0.2.0'
