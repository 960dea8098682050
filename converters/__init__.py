"""Formats, and what all formats share: the registry, the pipeline, projection and the books of losses.

Knows nothing of the service. `convert` is the whole job in one call:

    from annolake.converters import convert

    report = convert("instances.json", "lake.json", to="metalake")
"""

from .choosing import Choice
from .pipeline import convert
from .registry import formats, get, sniff
from .report import Report

__all__ = ["Choice", "Report", "convert", "formats", "get", "sniff"]
