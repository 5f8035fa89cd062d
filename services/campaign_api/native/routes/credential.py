"""What may the caller do?"""

from fastapi import APIRouter

from services.campaign_api.native.auth import AnyCaller
from services.campaign_api.native.schemas.credential import CredentialView
from services.campaign_api.native.schemas.problems import problems

router = APIRouter(prefix="/campaign", tags=["Credentials"])


@router.get("/credential", responses=problems())
async def get(caller: AnyCaller) -> CredentialView:
    """Get what the credential of the request may do; any valid one may ask."""
    return CredentialView(id=caller.key_id, organization_id=caller.organization_id, scopes=sorted(caller.scopes))
