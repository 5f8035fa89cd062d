"""The files behind /docs: as they were published, complete, and part of the package."""

import hashlib
import json
import tomllib
from pathlib import Path

from services.campaign_api.http.docs_page import ASSETS, STATIC

VENDORED = STATIC / "swagger-ui"
ROOT = Path(__file__).parents[2]


def test_swagger_ui_is_byte_by_byte_what_its_authors_published() -> None:
    manifest = json.loads((VENDORED / "manifest.json").read_text(encoding="utf-8"))
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in VENDORED.iterdir()}
    del found["manifest.json"]
    assert found == manifest["sha256"]
    assert {"LICENSE", "NOTICE"} <= found.keys()
    assert f'"{manifest["version"]}"'.encode() in (VENDORED / "swagger-ui-bundle.js").read_bytes()


def test_the_package_carries_every_file_of_the_page() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["services"]
    carried = {file for pattern in patterns for file in (ROOT / "services").glob(pattern + "/*")}
    files = {file for file in STATIC.rglob("*") if file.is_file()}
    assert len(files) >= len(ASSETS)
    assert files <= carried


def test_the_image_is_given_the_folder() -> None:
    assert "COPY services services" in (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "!services" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
