"""The companies that people of the contact book are at."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from shared.domain.page import NumberedPage, Page
from shared.engine.engine import Engine
from shared.store.catalog import companies as stored
from shared.store.catalog.companies import Company

__all__ = [
    "Company",
    "companies_named",
    "company_external_ids",
    "company_names",
    "create_company",
    "delete_company",
    "edit_company",
    "get_company",
    "list_companies",
    "numbered_companies",
]


async def create_company(
    engine: Engine, organization_id: str, values: Mapping[str, Any], external_id: str | None, now: datetime
) -> Company:
    """A new company with these fields, `name` among them. Raises `Conflict`: the external_id is taken."""
    return await stored.create_company(engine.store, organization_id, values, external_id, now)


async def get_company(engine: Engine, organization_id: str, reference: str) -> Company:
    """The organization's company of this id, else this external_id. Raises `NotFound`."""
    return await stored.get_company(engine.store, organization_id, reference)


async def companies_named(engine: Engine, organization_id: str, names: Collection[str]) -> dict[str, str]:
    """The ids of companies by their names, folded (`folded` of shared/domain/person.py); of several the oldest's."""
    return await stored.companies_named(engine.store, organization_id, names)


async def company_names(engine: Engine, company_ids: Collection[str]) -> dict[str, str]:
    """The names of companies by their ids, which people of the organization have; one question for any number."""
    return await stored.names_by_id(engine.store, company_ids)


async def company_external_ids(engine: Engine, organization_id: str, ids: Collection[str]) -> dict[str, str | None]:
    """The external_ids (None: none) of the companies among these ids; one question for any number of them."""
    return await stored.company_external_ids(engine.store, organization_id, ids)


async def list_companies(
    engine: Engine,
    organization_id: str,
    *,
    search: str | None = None,
    industry: str | None = None,
    cursor: str | None,
    limit: int,
) -> Page[Company]:
    """The companies whose names contain the text in any case, and of this industry, newest first; None: all.

    Raises `InvalidCursor`: ask for the first page.
    """
    return await stored.list_companies(
        engine.store, organization_id, search=search, industry=industry, cursor=cursor, limit=limit
    )


async def numbered_companies(
    engine: Engine,
    organization_id: str,
    *,
    search: str | None = None,
    industry: str | None = None,
    offset: int,
    limit: int,
) -> NumberedPage[Company]:
    """The companies as `list_companies` has them, from the `offset`-th on, and how many there are."""
    return await stored.numbered_companies(
        engine.store, organization_id, search=search, industry=industry, offset=offset, limit=limit
    )


async def edit_company(
    engine: Engine, organization_id: str, reference: str, changes: Mapping[str, Any], now: datetime
) -> Company:
    """The company with these fields changed. Raises `NotFound`."""
    return await stored.edit_company(engine.store, organization_id, reference, changes, now)


async def delete_company(engine: Engine, organization_id: str, reference: str) -> str:
    """Remove a company; its id. Raises `NotFound`, or `Conflict` while people or campaigns name it."""
    return await stored.delete_company(engine.store, organization_id, reference)
