"""The files that the console's pages load: as they were published, complete, and all from here."""

import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest

from services.console.assets import ASSETS, STATIC, address_of
from services.console.pages.static import asset
from services.console.rendering import TEMPLATES

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("vendor", [STATIC / "vendor", ROOT / "tests" / "vendor"], ids=["console", "tests"])
def test_files_of_other_projects_are_byte_by_byte_what_their_authors_published(vendor: Path) -> None:
    manifest = json.loads((vendor / "manifest.json").read_text(encoding="utf-8"))
    named = {name: sha256 for package in manifest["packages"] for name, sha256 in package["sha256"].items()}
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in vendor.iterdir()}
    del found["manifest.json"]
    assert found == named
    assert all(any("LICENSE" in name for name in package["sha256"]) for package in manifest["packages"])


def test_the_package_carries_every_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["services"]
    carried = {file for pattern in patterns for file in (ROOT / "services").glob(pattern + "/*")}
    files = {file for folder in (STATIC, TEMPLATES) for file in folder.rglob("*") if file.is_file()}
    assert len(files) > len(ASSETS)
    assert files <= carried


def test_pages_load_what_is_served_and_nothing_else() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES.iterdir())
    loaded = set(re.findall(r"""(?:src|href)="{{ asset\('([^']+)'\) }}\"""", text))
    assert loaded == ASSETS.keys()
    assert "/static/" not in text
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//', text) == []


@pytest.mark.parametrize("name", sorted(ASSETS))
async def test_a_browser_keeps_a_file_for_good_under_its_version_alone(name: str) -> None:
    path, _, version = address_of(name).partition("?v=")
    content = (STATIC / ASSETS[name]).read_bytes()
    assert (path, version) == (f"/static/{name}", hashlib.sha256(content).hexdigest()[:16])
    assert (await asset(name, version)).headers["Cache-Control"] == "max-age=31536000, immutable"
    for other in (None, "", "0" * 16):
        assert (await asset(name, other)).headers["Cache-Control"] == "no-cache"


def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    # The Content-Security-Policy refuses them, without a word to anybody.
    for file in TEMPLATES.iterdir():
        assert re.findall(r"<style|<script(?! src=)|\sstyle=|\son[a-z]+=", file.read_text(encoding="utf-8")) == []
