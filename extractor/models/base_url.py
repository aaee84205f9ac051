"""A base URL as users write it, and what is meant: the address that routes are put behind, and its query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from extractor.errors import UsageError
from extractor.models.vendors import AZURE, Vendor, find_page_vendor, find_vendor

_ROUTES = re.compile(
    r"/(?:chat/completions|completions|chat|responses|models|embeddings|messages|api/(?:chat|generate|tags))$"
)
"""What users copy along with an address; each request has its own."""
_PAGES = re.compile(
    r"\.(?:html?|php|aspx?|md|pdf)$|/(?:docs?|playground|settings|api-keys|login|account|dashboard)(?:/|$)"
)
_DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)")
_SHOWN = ("api-version",)
"""Members of a query that are no secret."""
_EXAMPLE = "give one like https://host/v1 as --base-url"


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """Where an endpoint is. `query` is not part of the address, which manifests and messages show."""

    base_url: str
    query: Mapping[str, str] = field(default_factory=dict)
    deployment: str | None = None
    """The deployment that the address itself names, whose model has no name."""
    key_header: str = "authorization"
    """The header that a key is sent in: the usual one, or api-key."""
    vendor: Vendor | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values of the query that may be keys."""
        return tuple(value for name, value in self.query.items() if name.lower() not in _SHOWN)


def read_base_url(text: str) -> EndpointAddress:
    """What an address means. Raises UsageError for one that nothing can be sent to: it holds a name or password, has no
    scheme or host, or is a web page's. It is not shown where it may hold a secret.
    """
    url = parse_address(text)
    vendor = find_vendor(url.host)
    page = find_page_vendor(url.host)
    path = url.path.rstrip("/")
    if page is not None:
        raise UsageError(
            f"{url.host} is a web page of {page.name}, and no endpoint; give {page.base_url} as --base-url."
        )
    if _PAGES.search(path.lower()):
        where = vendor.base_url if vendor else f"{url.scheme}://{url.netloc.decode()}/v1"
        raise UsageError(f"{url.host}{path} looks like a web page, and no endpoint; give {where} as --base-url.")
    path = _ROUTES.sub("", path)
    deployment = _DEPLOYMENT.search(path)
    if not path:
        path = httpx2.URL(vendor.base_url).path.rstrip("/") if vendor else "/v1"
    elif vendor is AZURE and path == "/openai":
        path = "/openai/v1"
    return EndpointAddress(
        f"{url.scheme}://{url.netloc.decode()}{path}",
        dict(url.params),
        deployment.group(1) if deployment else None,
        "api-key" if vendor is AZURE or deployment else "authorization",
        vendor,
    )


def parse_address(text: str) -> httpx2.URL:
    """The address. Raises UsageError for one that nothing can be sent to, or that holds a name and password."""
    text = text.strip()
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError):
        url = httpx2.URL("")
    if url.userinfo or "@" in text.partition("?")[0]:
        raise UsageError("The base URL holds a name or password, which logs would show; set OPENAI_API_KEY instead.")
    shown = text.partition("?")[0]
    if url.scheme in ("http", "https") and url.host:
        return url
    if "://" not in text and re.match(r"[\w.-]+(?::\d+)?(?:/|$)", shown) and ("." in shown or ":" in shown):
        local = re.match(r"localhost|127\.", shown)
        raise UsageError(f"{shown!r} says no http or https; give http{'' if local else 's'}://{shown} as --base-url.")
    raise UsageError(f"{shown!r} is no address of an endpoint; {_EXAMPLE}.")
