"""Companies that people of the contact book are at."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.campaign_api.http.requests import Identifier, Name, RequestBody, not_null
from shared.domain.json_rules import JsonObject, LongText, ShortText
from shared.domain.shown_ids import UuidText


class _CompanyTexts(RequestBody):
    website: ShortText | None = None
    industry: ShortText | None = None
    company_size: ShortText | None = None
    address_line1: ShortText | None = None
    address_line2: ShortText | None = None
    city: ShortText | None = None
    state: ShortText | None = None
    postal_code: ShortText | None = None
    country: ShortText | None = None
    phone: ShortText | None = None
    notes: LongText | None = None


class CreateCompany(_CompanyTexts):
    """A company."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Acme", "website": "https://acme.example", "industry": "Anvils"}]}
    )

    external_id: Identifier | None = None
    name: Name
    custom_fields: JsonObject = Field({}, description="Anything of yours; at most 64 KiB.")


class EditCompany(_CompanyTexts):
    """What is to change; fields left out stay, null clears."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"industry": "Anvils"}]})

    name: Annotated[Name | None, BeforeValidator(not_null)] = None
    custom_fields: Annotated[JsonObject | None, BeforeValidator(not_null)] = None


class CompanyView(BaseModel):
    """A company; `contact_count` are the people who are at it."""

    model_config = ConfigDict(from_attributes=True)

    id: UuidText
    external_id: str | None
    name: str
    website: str | None
    industry: str | None
    company_size: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    phone: str | None
    notes: str | None
    custom_fields: dict[str, Any]
    contact_count: int
    created_at: datetime
    updated_at: datetime


class CompanyPage(BaseModel):
    """Companies, newest first."""

    companies: list[CompanyView]
    next_cursor: str | None
    total: int | None = Field(None, description="Only where the page was asked for by `offset`.")
