"""What a credential may do."""

from pydantic import BaseModel, Field

from shared.domain.shown_ids import UuidText
from shared.engine.keys import Scope


class CredentialView(BaseModel):
    """The credential that the request came with."""

    id: UuidText
    organization_id: UuidText = Field(description="The organization that its requests are about.")
    scopes: list[Scope] = Field(description="What it may do, sorted.")
