"""Which model is asked: an embedded one or an endpoint's, chosen from what the user names and the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from extractor.errors import UsageError
from extractor.models.api_keys import check_api_key, find_api_key, read_key_file
from extractor.models.base_url import EndpointAddress, read_base_url
from extractor.models.config_file import Configuration, ConfiguredModel
from extractor.models.endpoint import ApiKind, Connection, Dialect, Endpoint, ModelParameters
from extractor.models.known_traits import choose_vision, find_traits, override_traits
from extractor.models.local.catalog import find_models_folder
from extractor.models.local.engines import ENGINE_VARIABLE
from extractor.models.local.known_models import DEFAULT_MODEL, load_catalogue
from extractor.models.native.choice import has_library, require_library
from extractor.models.settings import ModelSettings
from extractor.models.traits import SMALL, ModelTraits
from extractor.models.vendors import (
    VENDORS,
    Vendor,
    check_key_vendor,
    find_model_vendor,
    split_vendor_prefix,
)
from extractor.types import Vision

DEFAULT_CONCURRENCY = 8
"""Requests that a run begins with at a time, of an endpoint."""
_OPENAI = VENDORS[0]
_NO_KEY = "none"
"""What servers that want no key are sent in its place."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model by name, and where it is: embedded unless there is a base URL."""

    name: str
    base_url: str | None = None
    api_key: str | None = None
    settings: ModelSettings = field(default_factory=ModelSettings)
    key_header: str = "authorization"
    vendor: Vendor | None = None

    @property
    def is_embedded(self) -> bool:
        return self.base_url is None

    @property
    def traits(self) -> ModelTraits:
        """As they are known by its name, and as the user says."""
        known = replace(SMALL, name=self.name) if self.is_embedded else find_traits(self.name, self.base_url)
        return override_traits(known, self.settings)

    @property
    def vision(self) -> Vision:
        """Which pages it is shown as pictures, too. Raises UsageError where an embedded model is to see."""
        if not self.is_embedded:
            return choose_vision(self.traits, self.settings)
        if self.settings.vision == Vision.ALWAYS:
            raise UsageError(
                f"{self.name} is embedded and sees no pictures; leave out vision, or name a model of an endpoint."
            )
        return Vision.NEVER

    def choose_concurrency(self, wanted: int | None = None) -> int:
        """Requests under way at a time, of an embedded model documents; as many as wanted, where that is said."""
        return wanted or (1 if self.is_embedded else DEFAULT_CONCURRENCY)

    def build_endpoint(self) -> Endpoint:
        """Where an endpoint's model is, and how it is asked."""
        traits, said = self.traits, self.settings
        api = ApiKind(said.api or ApiKind.OPENAI)
        parameters = build_parameters(said)
        refuses = traits.refuses - ({"max_tokens"} if api is not ApiKind.OPENAI else set())
        refuses = refuses | (self.vendor.refuses if self.vendor else frozenset()) | set(said.omit)
        asked_for = {name for name in refuses if getattr(parameters, name, None) is not None}
        return Endpoint(
            str(self.base_url),
            self.name,
            self.api_key or _NO_KEY,
            dialect=Dialect(said.dialect) if said.dialect else None,
            parameters=parameters,
            connection=replace(build_connection(said), key_header=self.key_header),
            refuses=refuses - asked_for,
            thinks=traits.thinks,
            api=api,
            max_output=traits.max_output if "max_output" in traits.sources else None,
        )

    def __repr__(self) -> str:
        return f"ModelSpec({self.name!r}, {self.base_url!r})"


def build_parameters(said: ModelSettings) -> ModelParameters:
    """What is said of how a model answers, as requests have it."""
    return ModelParameters(
        temperature=said.temperature,
        seed=said.seed,
        top_p=said.top_p,
        reasoning_effort=said.reasoning_effort,
        thinking=said.thinking,
        max_output=said.max_output,
        token_probabilities=said.token_probabilities,
        extra_body=said.extra_body,
        vision=Vision(said.vision) if said.vision else None,
    )


def build_connection(said: ModelSettings) -> Connection:
    """What is said of the way to an endpoint; what is not said is as usual."""
    usual = Connection()
    return Connection(
        headers=said.headers,
        query=said.query,
        organization=said.organization,
        ca_file=said.ca_file,
        proxy=said.proxy,
        request_deadline=said.request_deadline or usual.request_deadline,
        question_deadline=max(said.request_deadline or 0.0, usual.question_deadline),
        attempts=said.attempts or usual.attempts,
        patience=usual.patience if said.patience is None else said.patience,
    )


def list_embedded_names() -> frozenset[str]:
    return frozenset(m.name for m in load_catalogue(find_models_folder()))


def choose_model(
    name: str | None,
    base_url: str | None,
    environ: Mapping[str, str] = os.environ,
    *,
    api_key: str | None = None,
    settings: ModelSettings | None = None,
    configuration: Configuration | None = None,
    live: bool = True,
) -> ModelSpec:
    """The model that flags, files and environment name. What is said nearer to the call wins: the arguments, then the
    configuration, then the environment. Where nothing is asked live, neither a key nor a name is needed.

    Raises UsageError for a combination that names none.
    """
    files = configuration or Configuration()
    name = files.defaults.model if name is None and live else name
    if name is not None and not (name.strip() and name.isprintable()):
        raise UsageError("The model's name is empty; name one with --model, or leave it out for the embedded one.")
    told = files.find_model(name) if name else files.defaults
    said = told.settings.override_with(settings or ModelSettings())
    own_url = base_url or told.base_url
    if name is not None and name in files.models:
        name = told.model or name
    if not own_url and _is_local(name, environ, live):
        engine = said.engine or environ.get(ENGINE_VARIABLE) or None
        return ModelSpec(name or DEFAULT_MODEL, settings=replace(said, engine=engine) if engine else said)
    keys = _KeySources(told, environ, api_key, live)
    if name is not None and not own_url and not environ.get("OPENAI_BASE_URL"):
        return _choose_vendor_model(name, keys, said)
    address = read_base_url(own_url or environ.get("OPENAI_BASE_URL") or _OPENAI.base_url)
    name = name or address.deployment
    if name is None:
        raise UsageError(
            "A key or base URL is set (OPENAI_API_KEY, OPENAI_BASE_URL), but no model is named; "
            "add one, as in --model gpt-5-mini, or unset them for the embedded model."
        )
    variables = address.vendor.key_variables if address.vendor else ()
    return _build_spec(name, address, keys.find(name, (*variables, "OPENAI_API_KEY")), said)


def _is_local(name: str | None, environ: Mapping[str, str], live: bool) -> bool:
    if name is not None:
        return name in list_embedded_names() or name.endswith(".gguf")
    return not live or not (environ.get("OPENAI_BASE_URL") or find_api_key(("OPENAI_API_KEY",), environ))


@dataclass(frozen=True, slots=True)
class _KeySources:
    """Where a key may come from, the nearest first; where nothing is asked live, none is looked for."""

    told: ConfiguredModel
    environ: Mapping[str, str]
    given: str | None
    live: bool

    def find(self, name: str, variables: tuple[str, ...]) -> tuple[str, str] | None:
        """What holds the key of the model, and the key."""
        if not self.live:
            return None
        if self.given:
            return "api_key", check_api_key(self.given, "api_key")
        if self.told.key_file:
            return self.told.key_file, read_key_file(self.told.key_file, "key_file")
        if self.told.key_env:
            found = find_api_key((self.told.key_env,), self.environ)
            if found is None:
                raise UsageError(f"The key of {name} is to be in {self.told.key_env}, which is not set; set it.")
            return found
        return find_api_key(variables, self.environ)


def _choose_vendor_model(name: str, keys: _KeySources, said: ModelSettings) -> ModelSpec:
    """A model that is named without an address: its name begins with the vendor's, or is one that only it gives."""
    prefixed = split_vendor_prefix(name)
    owner = find_model_vendor(name)
    vendor, rest = prefixed or (owner or _OPENAI, name)
    key = keys.find(name, vendor.key_variables)  # of no other vendor: nobody said that it be sent there
    if key is None and keys.live:
        if prefixed is None and owner is None:
            raise UsageError(
                f"There is no embedded model {name!r} ({', '.join(sorted(list_embedded_names()))}); "
                "for an endpoint's model set OPENAI_API_KEY or give --base-url."
            )
        raise UsageError(
            f"{name} is a model of {vendor.name}, and no key for it is set; set {vendor.key_variables[0]}, "
            "or give --base-url if another endpoint has it."
        )
    if said.api is None and vendor.api is not ApiKind.OPENAI and has_library(vendor.api):
        said = replace(said, api=vendor.api)
    is_native = said.api is not None and said.api is vendor.api is not ApiKind.OPENAI
    return _build_spec(rest, read_base_url(vendor.own_url if is_native else vendor.base_url), key, said)


def _build_spec(name: str, address: EndpointAddress, key: tuple[str, str] | None, said: ModelSettings) -> ModelSpec:
    if key is not None:
        check_key_vendor(key[1], key[0], address.vendor)
    base_url = address.base_url
    if said.api is not None and said.api is not ApiKind.OPENAI:
        require_library(ApiKind(said.api))
        base_url = re.sub(r"/v1(?:beta)?(?:/openai)?$", "", base_url)  # its library puts that before its routes
    query = {**address.query, **said.query}
    return ModelSpec(
        name,
        base_url,
        key[1] if key else None,
        replace(said, query=query) if query else said,
        address.key_header,
        address.vendor,
    )
