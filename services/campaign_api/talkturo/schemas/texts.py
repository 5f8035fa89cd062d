"""Texts that several bodies have."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.domain.json_rules import check_text


def filled(text: str) -> str:
    """The text, which is not of blanks alone."""
    if not text.strip():
        raise PydanticCustomError("blank", "Write more than blanks")
    return text


Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Short = Annotated[str, Field(max_length=255), AfterValidator(check_text)]
