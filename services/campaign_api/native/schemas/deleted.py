"""What is gone."""

from typing import Literal

from pydantic import BaseModel


class Deleted(BaseModel):
    """It is gone."""

    id: str
    deleted: Literal[True] = True
