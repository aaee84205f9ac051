"""How endpoints of different makers word a refusal: patterns over the lower-case words and codes of a `Problem`.

Each pattern stands for a kind and not for one message; the forms were collected from public reports and the makers'
documentation in November 2026 (docs/endpoints.md).
"""

from __future__ import annotations

import re

from extractor.models.openai.problem import Problem


def _compile(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(forms))


_QUOTA_CODES = frozenset(
    "insufficient_quota insufficient_balance insufficient_user_quota insufficient_credits arrearage payment_required "
    "billing_hard_limit_reached billing_not_active billing_error credit_limit_reached exceeded_budget "
    "budget_exceeded".split()
)
_QUOTA = _compile(
    r"insufficient (?:\w+ )?(?:quota|balance|credits?|funds)",
    r"credit balance is too low",
    r"(?:out of|requires? more|not enough|add (?:more )?) ?(?:credits?|balance|funds)",
    r"billing (?:hard )?limit",
    r"exceeded your current quota",
    r"budget has been exceeded|exceeded (?:its|your|the) budget",
    r"payment required|top up your",
    r"account is (?:not active|in arrears|overdue)",
    r"(?:reach|exceed)\w* .{0,40}(?:spending|usage) limits?\b",
)
_ACCOUNT_CODES = frozenset(
    "unsupported_country_region_territory model_terms_required account_deactivated service_disabled".split()
)
_ACCOUNT = _compile(
    r"(?:country|region|territory|location)\b.{0,30}\bnot (?:supported|available|allowed)",
    r"must be verified|(?:terms|licen[cs]e)\b.{0,40}(?:accept|agree)|accept .{0,20}(?:terms|licen[cs]e)",
    r"data policy|account\b.{0,60}(?:suspended|deactivated|disabled|terminated)",
    r"api has not been used in project",
)
_FILTER_CODES = frozenset(
    "content_filter content_policy_violation responsibleaipolicyviolation data_inspection_failed datainspectionfailed "
    "content_filter_error moderation_blocked moderation_error unsafe_content sensitive_words_detected invalid_prompt "
    "guardrail_intervened prohibited_content".split()
)
_FILTER = _compile(
    r"content[ _-](?:filter|management polic|polic|moderation)",
    r"(?:prompt|input|content|request|output|message) (?:was|has been|is|were) (?:flagged|blocked)",
    r"flagged (?:as|by)",
    r"safety (?:system|filter|polic|setting)",
    r"inappropriate content|content exists risk|prohibited[ _]content|requires moderation|usage polic",
    r"blocked by .{0,40}(?:polic|filter|guardrail|safety|moderat)",
    r"violat\w+ .{0,60}polic",
)
_LONG_CODES = frozenset(
    "context_length_exceeded exceed_context_size_error string_above_max_length context_window_exceeded "
    "prompt_too_long request_too_large tokens_limit_reached model_context_window_exceeded payload_too_large "
    "contextwindowexceedederror input_too_long max_tokens_exceeded".split()
)
_LONG = _compile(
    r"context[ _-](?:length|window|size|limit)s?\b|available context|context overflow|contextwindowexceeded",
    r"maximum (?:supported )?(?:prompt|input|request|sequence|allowed) (?:length|size)",
    r"(?:prompt|input)(?: length| tokens?)?(?: \(?\d+\)?)? (?:exceeds?|is greater than) ",
    r"input token count is \d+ but|exceed\w* (?:the )?model token limit|max(?:imum)? tokens of \d+ exceeded",
    r"(?:input|prompt|requests?|messages?)(?: (?:is|are|was))? too (?:long|large)",
    r"token count.{0,40}exceeds|number of (?:input )?tokens .{0,30}exceed|too many (?:input )?tokens",
    r"reduce the length|reduce your (?:prompt|input)|must be reduced",
    r"range of input length|input length .{0,60}exceed|prompt tokens? (?:limit )?exceed",
    r"`?inputs`? (?:tokens \+|must have less)|prompt contains \d+ tokens|longer than the model",
    r"exceeds? the (?:model'?s )?(?:maximum )?(?:number of )?(?:input )?tokens? limit",
    r"(?:payload|entity) too large",
    r"max_tokens must be at least 1, got -",
)
_NO_MODEL_CODES = frozenset(
    "model_not_found deploymentnotfound modelnotfound unknown_model invalid_model model_not_available "
    "model_decommissioned model_not_exist invalid_model_error".split()
)
_NO_MODEL = _compile(
    r"(?:models?|deployment|engine)\b.{0,120}?(?:not found|does ?n[o']t exist|not exist|is not a valid model)",
    r"(?:models?|deployment|engine)\b.{0,120}?(?:no longer (?:available|supported)|could not be found)",
    r"(?:models?|deployment|engine)\b.{0,120}?(?:has been|is) (?:decommissioned|retired)",
    r"(?:models?|deployment|engine)\b.{0,120}?is not (?:available|loaded|deployed|served|found)",
    r"(?:no such|unknown|unrecogni[sz]ed|no matching|not a valid|invalid) (?:model|deployment)",
    r"(?:could not|cannot|can't) find (?:the )?(?:model|deployment)",
    r"(?m:^model: \S+$)",
    r"try pulling it|no endpoints found for|not have access to (?:the )?model|no models? loaded",
)
_NO_CHAT = _compile(
    r"not a chat model|only supported in v1/|does not support (?:the )?(?:chat|completions)",
    r"chat_?completions? operation does not work",
    r"(?:no|set|must provide a|have a|without a) chat[ _]template|chat[ _]template (?:is not set|is missing)",
    r"not support(?:ed)? .{0,20}chat/?completions?",
)
_ONLY_STREAMS = _compile(
    r"only supports? stream|stream(?:ing)? (?:mode )?(?:is required|only)|must be streamed|enable the stream"
)
_NO_MEMORY = _compile(
    r"requires? (?:more|approximately) .{0,30}memory|insufficient (?:system resources|memory)",
    r"not enough (?:\w+ )?memory to load|(?:failed|unable) to load (?:the )?model",
)
_WRONG_PATH = _compile(
    r"invalid url|unexpected endpoint|page not found|cannot post|no (?:matching )?route|unknown (?:url|path)"
)
_NO_ROUTE = _compile(
    r"not found|unknown (?:request )?(?:url|path|endpoint)|cannot get|no handler|does not exist|resource",
    r"method not allowed",
)
_SAMPLE_CODES = frozenset({"json_validate_failed", "tool_use_failed", "output_parse_failed", "malformed_function_call"})
_SAMPLE = _compile(
    r"failed to (?:generate|validate) json|json validat\w+ failed|failed to call a function|generated json",
    r"(?:model|generated) (?:output|response|reply)\b.{0,60}(?:not|invalid|malformed|fail)",
    r"failed to parse (?:the )?(?:tool|function|output|model)|tool call validation failed",
    r"model generated .{0,40}(?:invalid|malformed)|could not parse .{0,30}(?:output|generat|response)",
)
_DIALECT = _compile(
    r"response_?format|json[ _]?schema|json_object|json mode|structured[ _]output",
    r"guided|grammar|xgrammar|outlines|constrained?\b|\bschemas?\b|in context=\(|additionalproperties|strict mode",
    r"\btools?\b|tool_choice|tool[ _](?:use|call)|function[ _]?call|\bfunctions?\b",
)
_NO = (
    r"(?:\bnot?\b|n't|n’t|cannot|\bonly\b|\bun(?:supported|available|able)|without|missing|invalid|disabled"
    r"|too many|at most)"
)
_SIGHT = r"(?:\b(?:images?|image_urls?|vision|visual|pictures?|multi-?modal\w*|mmproj)\b)"
_PICTURES = _compile(
    rf"{_NO}.{{0,80}}?{_SIGHT}",
    rf"{_SIGHT}.{{0,80}}?{_NO}",
    r"no endpoints found.{0,60}image",
    r"unknown variant `?image_url|expected `?text`?\b",
    r"content\b.{0,60}(?:must be|should be|to be|expected) (?:an? )?(?:valid )?(?:string|str|text)\b",
    r"should be a valid string|must be str, not list|can only concatenate str|expected (?:an? )?string",
)
_SYSTEM_ROLE = _compile(
    r"(?:system|developer) (?:role|message|prompt|instruction)s?\b.{0,60}(?:not|n't|unsupported)",
    r"(?:not|n't) support .{0,20}(?:system|developer) (?:role|message|prompt|instruction)",
    r"(?:not|n't) support \W?(?:system|developer)\b|invalid (?:value|role)\W{1,4}(?:system|developer)\b",
    r"messages[\W0]{1,6}role\b",
    r"only user,? (?:and )?assistant roles|roles? must alternate",
)
_LIMIT = _compile(
    r"per (?:minute|second|hour|min|day)|retry in|try again in|rate[ _-]?limit|too many requests|\brpm\b|\btpm\b"
)
_LOADING = _compile(
    r"load|warm|start(?:ing|up)|initiali[sz]|not (?:yet )?ready|provision|scal|boot|temporar|unavailable|capacity|busy"
)
_NOT_READY_STATUSES = frozenset({503, 529})
"""Of an endpoint that is not ready, or has too much to do."""
_KEY = _compile(r"api[ _-]?key|unauthori[sz]ed|authentication|credentials|access token|bearer")


def names_quota(problem: Problem) -> bool:
    """Whether what was paid for is used up, which waiting does not change."""
    if problem.status == 429 and (problem.delay is not None or _LIMIT.search(problem.words)):
        return "insufficient_quota" in problem.codes
    return problem.status == 402 or bool(problem.codes & _QUOTA_CODES) or bool(_QUOTA.search(problem.words))


def names_account(problem: Problem) -> bool:
    """Whether the account itself may not use the model, for a reason that is settled with the maker."""
    return bool(problem.codes & _ACCOUNT_CODES) or bool(_ACCOUNT.search(problem.words))


def names_filter(problem: Problem) -> bool:
    if problem.codes & _FILTER_CODES:
        return True
    of_account = "account" in problem.words or "api key" in problem.words
    return bool(_FILTER.search(problem.words)) and not of_account


def names_length(problem: Problem) -> bool:
    return problem.status == 413 or bool(problem.codes & _LONG_CODES) or bool(_LONG.search(problem.words))


def names_missing_model(problem: Problem) -> bool:
    return bool(problem.codes & _NO_MODEL_CODES) or "model" in problem.names or bool(_NO_MODEL.search(problem.words))


def names_no_chat(problem: Problem) -> bool:
    return bool(_NO_CHAT.search(problem.words))


def names_memory(problem: Problem) -> bool:
    """Whether a server cannot load the model, which is too large for it."""
    return bool(_NO_MEMORY.search(problem.words))


def names_stream(problem: Problem) -> bool:
    return bool(_ONLY_STREAMS.search(problem.words))


def names_wrong_path(problem: Problem) -> bool:
    return bool(_WRONG_PATH.search(problem.words))


def names_missing_route(problem: Problem) -> bool:
    return not problem.is_wordless and bool(_NO_ROUTE.search(problem.words))


def names_sample(problem: Problem) -> bool:
    """Whether it is about what the model wrote this time."""
    return bool(problem.codes & _SAMPLE_CODES) or bool(_SAMPLE.search(problem.words))


def names_dialect(problem: Problem) -> bool:
    return bool(_DIALECT.search(problem.words)) or bool(_DIALECT.search(" ".join(problem.names)))


def names_tool_choice(problem: Problem) -> bool:
    return "tool_choice" in problem.words or "tool choice" in problem.words or "tool_choice" in problem.names


def names_pictures(problem: Problem) -> bool:
    """Whether it may be about the pictures of a request that holds some: that they are none of the model's, or a
    content that is not text alone."""
    return bool(_PICTURES.search(problem.words))


def names_system_role(problem: Problem) -> bool:
    return bool(_SYSTEM_ROLE.search(problem.words))


def names_loading(problem: Problem) -> bool:
    """Whether the endpoint is not ready, or has too much to do: by its words, or by its status where it has none."""
    if problem.status in _NOT_READY_STATUSES:
        return problem.is_wordless or bool(_LOADING.search(problem.words))
    return "loading" in problem.words or "not ready" in problem.words


def names_key(problem: Problem) -> bool:
    return bool(_KEY.search(problem.words)) or "api_key_invalid" in problem.codes


def names_limit(problem: Problem) -> bool:
    """Whether it is about how fast is asked, or how much is asked at a time."""
    return bool(_LIMIT.search(problem.words)) or bool(problem.codes & {"rate_limit_exceeded", "rate_limit_error"})
