"""What a credential may do."""

from pydantic import BaseModel, Field

from shared.engine.keys import Scope


class CredentialView(BaseModel):
    """The credential that the request came with."""

    id: str
    organization_id: str = Field(description="The organization that its requests are about.")
    scopes: list[Scope] = Field(description="What it may do, sorted.")
