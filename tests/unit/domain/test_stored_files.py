"""Keys of files: what is kept of a name, and whose key it is."""

import pytest

from shared.domain.stored_files import MAX_FILE_NAME, FileKey, file_key, own_key, parsed_key

ORGANIZATION = "7b1c9f2e-52a5-4f0d-8c4b-0c6f3b8f6d11"
OTHER = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"
FILE = "9a1de6a5-8f0e-4c3f-a3f6-5d0d7f3b2c10"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("people.csv", "people.csv"),
        ("My People (2).csv", "My_People__2_.csv"),
        ("C:\\lists\\people.csv", "people.csv"),
        ("../../etc/people.csv", "people.csv"),
        ("Größe.csv", "Gr__e.csv"),
        ("a\x00b\n.CSV", "a_b_.CSV"),
        ("lists/", "_"),
        ("x" * 300 + ".csv", "x" * (MAX_FILE_NAME - 4) + ".csv"),
    ],
)
def test_a_key_has_of_the_name_its_last_segment_in_plain_characters(name: str, kept: str) -> None:
    key = file_key(ORGANIZATION, FILE, name)
    assert key.name == kept
    assert parsed_key(str(key)) == key == FileKey(ORGANIZATION, FILE, kept)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "people.csv",
        f"campaigns/{ORGANIZATION}/people.csv",
        f"campaigns/{ORGANIZATION}/{FILE}_",
        f"campaigns/{ORGANIZATION}/{FILE}_a/b",
        f"campaigns/{ORGANIZATION}/{FILE}_a\n",
        f"campaigns/{ORGANIZATION.upper()}/{FILE}_a",
        f"/campaigns/{ORGANIZATION}/{FILE}_a",
        f"campaigns/{ORGANIZATION}/../{FILE}_a",
    ],
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert parsed_key(text) is None


def test_a_key_is_one_organizations_alone() -> None:
    key = str(file_key(ORGANIZATION, FILE, "a.csv"))
    assert own_key(ORGANIZATION, key) is not None
    assert own_key(OTHER, key) is None
