"""Writes `.env.example` and the list of all names from the settings classes: `python -m deploy.env_example`."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

import services
from shared.domain.unknown_names import PREFIX
from shared.settings import Settings

REPOSITORY: Final = Path(__file__).resolve().parents[1]
TARGET: Final = REPOSITORY / ".env.example"
NAMES_TARGET: Final = REPOSITORY / "shared" / "setting_names.py"
# These have no default that could work; Docker Compose refuses to start without them.
SECRETS: Final = ("admin_token", "twilio_auth_token", "secret_key")

HEAD: Final = f"""\
# Every setting of every service, with its default; made by `make env`, do not edit it here.
# Copy it to .env and uncomment what you change: Docker Compose reads that file. A service that you start
# yourself reads only its environment.

# Secrets that Docker Compose asks for. Make each with: openssl rand -hex 32
{PREFIX}{SECRETS[0].upper()}=
{PREFIX}{SECRETS[1].upper()}=
# Encrypts the secrets that customers store. Keep it: without it they have to be set anew. Several, comma separated, the
# newest first, while one is replaced.
{PREFIX}{SECRETS[2].upper()}=

# Where Docker Compose publishes campaign-api: on this machine alone, unless the address says 0.0.0.0 (in clear HTTP,
# past the machine's firewall), and on which port.
#{PREFIX}PUBLISHED_ADDRESS=127.0.0.1
#{PREFIX}PUBLISHED_PORT=8080
# The same for the console.
#{PREFIX}CONSOLE_PUBLISHED_ADDRESS=127.0.0.1
#{PREFIX}CONSOLE_PUBLISHED_PORT=8081
"""
# Read by Docker Compose, by the tools and tests here, and by those who source `.local/dev.env`.
OTHER_NAMES: Final = frozenset(
    PREFIX + name
    for name in (
        "API_KEY",
        "CAMPAIGN",
        "CONSOLE_PUBLISHED_ADDRESS",
        "CONSOLE_PUBLISHED_PORT",
        "CONSOLE_URL",
        "FUZZ_SEED",
        "LOCAL_RUN",
        "OPENAPI_EXAMPLES",
        "ORGANIZATION_ID",
        "OWN_ENGINE",
        "PHONE_EXAMPLES",
        "PICTURES",
        "PROTOCOL_EXAMPLES",
        "PUBLISHED_ADDRESS",
        "PUBLISHED_PORT",
        "TEST_S3",
        "TEST_SERVERS",
        "URL",
        "WEBHOOK_SECRET",
    )
)

NAMES_HEAD: Final = '''\
"""The names of all environment variables that any part of Dialstream reads; made by `make env`, do not edit it."""

from typing import Final

KNOWN_NAMES: Final = frozenset(
    {
'''


def example() -> str:
    """The text of `.env.example`. A setting that several classes have is listed once, with the shared default."""
    seen = set(SECRETS)
    parts = [HEAD]
    for settings in settings_classes():
        own = {name: field for name, field in _own_fields(settings) if name not in seen}
        if own:
            seen |= own.keys()
            parts.append(_section(settings, own))
    return "\n".join(parts)


def names() -> str:
    """The text of shared/setting_names.py: services do not know each other, and one environment serves all."""
    known = {name for settings in settings_classes() for name in settings.model_fields}
    every = sorted({f"{PREFIX}{name.upper()}" for name in known} | OTHER_NAMES)
    return NAMES_HEAD + "".join(f'        "{name}",\n' for name in every) + "    }\n)\n"


def settings_classes() -> list[type[Settings]]:
    """The shared ones, then those of every service, in a fixed order."""
    for service in pkgutil.iter_modules(services.__path__, f"{services.__name__}."):
        package = importlib.import_module(service.name)
        if any(module.name == "settings" for module in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"{service.name}.settings")
    found = [settings for settings in _below(Settings) if settings.__module__.startswith(("services.", "shared."))]
    return sorted(found, key=lambda settings: (not settings.__module__.startswith("shared."), settings.__module__))


def _below(parent: type[Settings]) -> list[type[Settings]]:
    return [found for child in parent.__subclasses__() for found in (child, *_below(child))]


def _own_fields(settings: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    own = vars(settings).get("__annotations__", {})
    return ((name, field) for name, field in settings.model_fields.items() if name in own)


def _section(settings: type[Settings], fields: dict[str, FieldInfo]) -> str:
    module = settings.__module__.split(".")
    owner = module[1].replace("_", "-") if module[0] == services.__name__ else "shared by services"
    lines = [f"# ---- {owner}: {(settings.__doc__ or '').strip().splitlines()[0]}"]
    for name, field in fields.items():
        lines += [f"# {field.description}", f"#{PREFIX}{name.upper()}={_written(field)}"]
    return "\n".join(lines) + "\n"


def _written(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    match default:
        case None | SecretStr():
            return ""
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}"
        case tuple() | list() | dict():
            return json.dumps(default)
        case _:
            return str(default)


if __name__ == "__main__":
    TARGET.write_text(example())
    NAMES_TARGET.write_text(names())
