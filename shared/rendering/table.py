"""Which renderer tells a subscription's events. A new dialect adds a line."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson

from shared.domain.webhooks import Dialect
from shared.rendering.native import NATIVE
from shared.rendering.renderer import Renderer, Told
from shared.rendering.smartalex.renderer import SMARTALEX
from shared.rendering.talkturo.renderer import TALKTURO

RENDERERS: Final[Mapping[Dialect, Renderer]] = MappingProxyType(
    {Dialect.NATIVE: NATIVE, Dialect.SMARTALEX: SMARTALEX, Dialect.TALKTURO: TALKTURO}
)


def renderer_of(dialect: Dialect) -> Renderer:
    """The dialect's renderer; a dialect that has none is told in the words of the native one."""
    return RENDERERS.get(dialect, NATIVE)


def json_of(renderer: Renderer, told: Told) -> str:
    """The body of a delivery: compact JSON, times in UTC with `Z`."""
    return orjson.dumps(renderer.body(told), option=orjson.OPT_UTC_Z).decode()
