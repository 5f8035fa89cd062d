"""What a list or a view shows only when it is asked for."""

from typing import Annotated

from fastapi import Query

WithDeleted = Annotated[
    bool, Query(description="true: a deleted campaign too; a single one is found by its id, not by its external_id.")
]
WithPrivate = Annotated[bool, Query(description="true: also the configurations that single campaigns have alone.")]
