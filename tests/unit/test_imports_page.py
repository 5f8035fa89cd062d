"""The page on imports says what is so: its lines for `curl`, its names of columns, what becomes of spoilt numbers."""

import re
import shlex
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from services.campaign_api.http import openapi
from services.campaign_api.native import app as native
from services.campaign_api.native.schemas.imports import MAPPING, RedialCampaign, StartImport
from shared.domain.contact_input import NumberRules
from shared.domain.csv_columns import understood
from shared.domain.csv_numbers import numbers_in

PAGE: Final = (Path(__file__).parents[2] / "docs" / "imports.md").read_text(encoding="utf-8")
PATHS: Final[dict[str, Any]] = openapi.document(native.ABOUT, native.ROUTERS)["paths"]
# A line of the shell may go on in the next one of the page.
LINES: Final = re.findall(r"^curl .*$", re.sub(r"\\\n *", "", PAGE), re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_taken_by_the_api(line: str) -> None:
    words = shlex.split(re.sub(r"\$[CI]\b", "an-id", line.replace("$A", "key").replace("$URL", "/campaign")))[1:]
    options = {name: words[words.index(name) + 1] for name in ("-d", "-X", "--data-binary") if name in words}
    split = urlsplit(words[-1])
    method = options.get("-X", "POST" if "-d" in options or "--data-binary" in options else "GET").lower()
    [path] = [path for path in PATHS if re.fullmatch(re.sub(r"\{[a-z_]+\}", "[^/]+", path), split.path)]
    query = dict(parse_qsl(split.query))
    assert query.keys() <= {
        given["name"] for given in PATHS[path][method].get("parameters", ()) if given["in"] == "query"
    }
    if "mapping" in query:
        assert MAPPING.validate_json(query["mapping"])
    if "-d" in options:
        body = RedialCampaign if path.endswith("/redial") else StartImport
        assert body.model_validate_json(options["-d"])
    elif method == "post" and path.endswith("/imports"):
        assert "text/csv" in PATHS[path][method]["requestBody"]["content"]


@pytest.mark.parametrize(("fields", "names"), re.findall(r"^\| (`[a-z_`, ]+`) \| ([^|]+) \|$", PAGE, re.MULTILINE))
def test_columns_are_known_by_the_names_in_the_table(fields: str, names: str) -> None:
    known = re.findall(r"[a-z_]+", fields)
    if names == "the same":
        for field in known:
            assert understood(["phone", field]).fields == ("phone_numbers", field)
    elif known != ["data"]:
        for name in names.split(", "):
            assert known[0] in understood(["phone", name]).fields[1:], name


@pytest.mark.parametrize(
    ("cell", "read"), re.findall(r"^\| `([^`]+[0-9]\S*)` \| (`[+0-9]+`|refused) \|$", PAGE, re.MULTILINE)
)
def test_spoilt_numbers_are_read_as_the_table_says(cell: str, read: str) -> None:
    [number] = numbers_in(cell)
    if read == "refused":
        assert NumberRules("+49").why_unreadable(number) is not None
    else:
        assert number.lstrip("'") == read.strip("`")


def test_no_table_of_the_page_was_missed() -> None:
    assert len(LINES) == PAGE.count("curl -") >= 9
    assert len(re.findall(r"^\| `([^`]+[0-9]\S*)` \| (`[+0-9]+`|refused) \|$", PAGE, re.MULTILINE)) == 6
