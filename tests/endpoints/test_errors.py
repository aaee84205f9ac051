"""Errors by their names, in the forms of many makers: what ends the run, what costs a document, what is cured."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bounded_work import ends_soon

from extractor import extract
from extractor.cli.main import main
from extractor.errors import ModelFatal
from extractor.models.openai.problem import read_duration, read_problem
from extractor.testing import FaultAnswer, FaultEndpoint, build_completion, build_error
from tests.endpoints.door import (
    RIGHT,
    SCHEMA,
    TEXT,
    Body,
    answer_rightly,
    learnt,
    read,
    read_all,
    read_in_turn,
    serve,
)

HARD = TEXT + "\nThis line is HARD to bear."


def only_hard(answer: Any) -> Any:
    """A script that answers so to the document that is hard, and rightly to all others."""
    return lambda body, n: answer if "HARD" in json.dumps(body) else answer_rightly(body)


def blocked(body: dict[str, Any]) -> FaultAnswer:
    return FaultAnswer(200, body)


FILTERS: dict[str, Any] = {
    "azure": (
        400,
        {
            "error": {
                "message": "The response was filtered since the prompt triggered the content management policy.",
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": {
                    "code": "ResponsibleAIPolicyViolation",
                    "content_filter_result": {"hate": {"filtered": True}},
                },
            }
        },
    ),
    "azure by a gateway": (
        400,
        {
            "error": {
                "message": "AzureException - the prompt met the content management policy",
                "code": "400",
                "provider_specific_fields": {"innererror": {"code": "ResponsibleAIPolicyViolation"}},
            }
        },
    ),
    "openai": (
        400,
        {
            "error": {
                "message": "Your prompt was flagged as unfit.",
                "type": "invalid_request_error",
                "code": "invalid_prompt",
            }
        },
    ),
    "openai policy": (400, build_error("Your request was rejected by our safety system.", "content_policy_violation")),
    "anthropic": (
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"},
        },
    ),
    "openrouter": (
        403,
        {
            "error": {
                "code": 403,
                "message": "Input was flagged",
                "metadata": {"reasons": ["violence"], "flagged_input": "HARD", "provider_name": "P"},
            }
        },
    ),
    "dashscope": (
        400,
        {"error": {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."}},
    ),
    "deepseek": (400, build_error("Content Exists Risk", "invalid_request_error")),
    "in a good answer": (200, {"error": {"code": "content_filter", "message": "blocked"}}),
    "content_filter": (200, build_completion("", finish="content_filter")),
    "content_filter of google": (200, build_completion("", finish="content_filter: PROHIBITED_CONTENT")),
    "SAFETY": (200, build_completion(None, finish="SAFETY")),
    "RECITATION": (200, build_completion(None, finish="RECITATION")),
    "sensitive": (200, build_completion(None, finish="sensitive")),
    "refusal": (200, build_completion(None, refusal="I cannot read this.")),
    "refusal as the end": (200, build_completion("", finish="refusal")),
}


@pytest.mark.parametrize("maker", FILTERS, ids=lambda maker: maker.replace(" ", "_"))
def test_what_a_filter_declines_costs_one_document_and_is_called_refused(maker: str) -> None:
    with serve(only_hard(FILTERS[maker])) as server:
        before, hard, after = read_in_turn(server, [TEXT, HARD, TEXT + "\nThanks."])
    assert before.value == after.value == RIGHT
    assert [failure.reason for failure in hard.failures] == ["refused"]
    assert server.requests == 3


LENGTHS: dict[str, Any] = {
    "openai": (
        400,
        build_error(
            "This model's maximum context length is 900 tokens, and your messages have more.", "context_length_exceeded"
        ),
    ),
    "openai words": (
        400,
        build_error("This model's maximum context length is 900 tokens. Please reduce the length of the messages."),
    ),
    "openai string": (400, build_error("Invalid 'messages[1].content': string too long.", "string_above_max_length")),
    "openai minute": (
        429,
        {
            "error": {
                "message": "Request too large for m on tokens per min (TPM): Limit 900, Requested 5000.",
                "type": "tokens",
                "code": "rate_limit_exceeded",
            }
        },
    ),
    "anthropic": (
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "prompt is too long: 5000 tokens > 900 maximum"},
        },
    ),
    "anthropic 413": (
        413,
        {"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}},
    ),
    "google": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (5000) exceeds the maximum number of tokens allowed (900).",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
    ),
    "mistral": (
        400,
        {
            "object": "error",
            "message": "Prompt contains 5000 tokens, too large for model with 900 maximum context length",
            "type": "invalid_request_prompt",
            "code": "3051",
        },
    ),
    "groq": (413, build_error("Request too large for model m on tokens per minute", "rate_limit_exceeded")),
    "vllm": (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 900 tokens. You requested 5000 in the messages.",
            "type": "BadRequestError",
            "code": 400,
        },
    ),
    "sglang": (
        400,
        {
            "object": "error",
            "message": "The input (5000 tokens) is longer than the model's context length (900 tokens).",
            "code": 400,
        },
    ),
    "llama.cpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size. try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 5000,
                "n_ctx": 900,
            }
        },
    ),
    "ollama": (400, {"error": {"message": "input length exceeds maximum context length", "type": "api_error"}}),
    "lm studio": (
        400,
        {"error": "Trying to keep the first 5000 tokens when context the overflows, at a context length of 900"},
    ),
    "tgi": (
        422,
        {
            "error": "Input validation error: `inputs` must have less than 900 tokens. Given: 5000",
            "error_type": "validation",
        },
    ),
    "bedrock": (400, {"message": "Input is too long for requested model."}),
    "dashscope": (400, build_error("Range of input length should be [1, 900]", "invalid_parameter_error")),
    "xai": (
        400,
        {"code": "400", "error": "This model's maximum prompt length is 900 but the request contains 5000 tokens."},
    ),
    "litellm": (400, {"error": {"message": "litellm.ContextWindowExceededError: the prompt", "code": "400"}}),
    "openrouter": (
        400,
        {
            "error": {
                "code": 400,
                "message": "Provider returned error",
                "metadata": {"raw": '{"error": {"message": "prompt is too long"}}'},
            }
        },
    ),
    "github": (413, build_error("Request body too large for m. Max size: 900 tokens.", "tokens_limit_reached")),
    "a proxy": FaultAnswer(
        413, b"<html><head><title>413 Request Entity Too Large</title></head></html>", {"content-type": "text/html"}
    ),
    "as 500": (500, build_error("the prompt is too long for the context window")),
    "vertex": (400, build_error("the input token count is 5000 but the model takes up to 900 of them.")),
    "zhipu": (400, {"error": {"code": "1261", "message": "Prompt exceeds max length"}}),
    "lmdeploy": (400, {"object": "error", "message": "the input prompt length 5000 exceeds session_len 900"}),
    "exllama": (400, build_error("Prompt length 5000 is greater than max_seq_len 900")),
    "moonshot": (400, build_error("Your request exceeded model token limit: 900")),
}

PAGES = "\n\n".join(
    f"Page {i}. Nothing else is said here, in words that are many and mean little to anybody." for i in range(60)
)
LONG = f"{TEXT}\n\n{PAGES}"


@pytest.mark.parametrize("maker", LENGTHS, ids=lambda maker: maker.replace(" ", "_"))
def test_a_text_that_is_too_long_is_asked_in_smaller_chunks_at_once(maker: str) -> None:
    def script(body: Body, n: int) -> Any:
        return LENGTHS[maker] if len(body["messages"][-1]["content"]) > 3_000 else answer_rightly(body)

    with serve(script) as server:
        result = read(server, LONG)
        assert result.value is not None
        assert (result.value["number"], result.value["total"], str(result.status)) == ("A-7", 120.5, "complete")
    assert server.requests <= 3 * 4  # four chunks of 1,500 tokens take four requests; each that was halved one more


def test_a_length_that_was_refused_once_is_not_tried_again() -> None:
    sizes: list[int] = []

    def script(body: Body, n: int) -> Any:
        sizes.append(len(body["messages"][-1]["content"]))
        return LENGTHS["anthropic"] if sizes[-1] > 3_000 else answer_rightly(body)

    with serve(script) as server:
        first, second = read_in_turn(server, [LONG, LONG + "\nThanks."])
    assert str(first.status) == str(second.status) == "complete"
    refused = [size for size in sizes if size > 3_000]
    assert len(refused) <= len(sizes) // 3 and refused == sorted(refused, reverse=True)


def test_a_server_that_reads_no_further_than_it_was_seen_to_is_found_out_at_once() -> None:
    """Of a chunk that is a little too long it reads most: only the count of one far too long gives it away."""

    def script(body: Body, n: int) -> Any:
        said = body["messages"][-1]["content"]
        is_cut = len(said) > 5_000
        tokens = 1_200 if is_cut else len(said) // 5
        value = RIGHT if "A-7" in said and not is_cut else {"number": None, "total": None, "rows": []}
        usage = {"prompt_tokens": tokens, "completion_tokens": 5, "total_tokens": tokens + 5}
        return 200, build_completion(json.dumps(value), usage=usage)

    with serve(script) as server:
        result = read(server, LONG + PAGES * 4)
    assert result.value == RIGHT and str(result.status) == "complete"


def test_a_server_that_reads_half_of_a_text_without_a_word_is_found_out() -> None:
    def script(body: Body, n: int) -> Any:
        tokens = min(len(body["messages"][-1]["content"]) // 4, 1_200)
        status, said = answer_rightly(body)
        return status, {**said, "usage": {"prompt_tokens": tokens, "completion_tokens": 5, "total_tokens": tokens + 5}}

    with serve(script) as server:
        result = read(server, LONG * 3)
    assert str(result.status) == "complete" and server.requests > 2
    assert any("larger context" in note for note in learnt(result)["notes"])


MODEL_MISSING: dict[str, Any] = {
    "openai": (
        404,
        {
            "error": {
                "message": "The model `m` does not exist or you cannot use it.",
                "type": "invalid_request_error",
                "code": "model_not_found",
            }
        },
    ),
    "azure": (
        404,
        {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}},
    ),
    "ollama": (404, {"error": {"message": 'model "m" not found, try pulling it first', "type": "api_error"}}),
    "ollama words": (404, {"error": "model 'm' not found"}),
    "openrouter": (400, {"error": {"code": 400, "message": "m is not a valid model ID"}}),
    "anthropic": (
        404,
        {"type": "error", "error": {"type": "not_found_error", "message": "model: m"}, "param": "model"},
    ),
    "anthropic as it is": (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: m"}}),
    "deepseek": (400, build_error("Model Not Exist", "invalid_request_error")),
    "google": (
        404,
        [{"error": {"code": 404, "message": "models/m is not found for API version v1", "status": "NOT_FOUND"}}],
    ),
    "vllm": (
        404,
        {"object": "error", "message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404},
    ),
    "groq": (400, build_error("The model `m` has been decommissioned.", "model_decommissioned")),
    "param": (400, {"error": {"message": "unknown", "param": "model"}}),
    "in a good answer": (200, {"error": {"code": 404, "message": "No such model"}}),
}
ROUTE_MISSING: dict[str, Any] = {
    "openai": (404, {"error": {"message": "Invalid URL (POST /chat/completions)", "type": "invalid_request_error"}}),
    "go": FaultAnswer(404, b"404 page not found", {"content-type": "text/plain"}),
    "azure": (404, {"error": {"code": "404", "message": "Resource not found"}}),
    "lm studio": (200, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}),
    "express": FaultAnswer(404, b"Cannot POST /chat/completions", {"content-type": "text/plain"}),
}
PAGE = b"<!DOCTYPE html><html><body>Welcome</body></html>"
PAGES_OF_A_SITE: dict[str, Any] = {
    "404": FaultAnswer(404, PAGE, {"content-type": "text/html"}),
    "405": FaultAnswer(405, PAGE, {"content-type": "text/html"}),
    "200": FaultAnswer(200, PAGE, {"content-type": "text/html"}),
}


def fail(server: FaultEndpoint) -> str:
    """What ends the run, after how few requests."""
    with pytest.raises(ModelFatal) as caught:
        read_all(server, [f"{TEXT}\n{i}" for i in range(12)])
    return str(caught.value)


@pytest.mark.parametrize("maker", MODEL_MISSING, ids=lambda maker: maker.replace(" ", "_"))
def test_a_model_that_is_not_there_is_named(maker: str) -> None:
    with serve(lambda body, n: MODEL_MISSING[maker]) as server:
        assert "has no model 'm'; check --model" in fail(server)
        assert server.requests <= 10


@pytest.mark.parametrize("maker", ROUTE_MISSING, ids=lambda maker: maker.replace(" ", "_"))
def test_a_path_that_is_not_there_is_named(maker: str) -> None:
    with serve(lambda body, n: ROUTE_MISSING[maker]) as server:
        said = fail(server)
        assert f"nothing at {server.url}/chat/completions" in said and "/v1" in said
        assert server.requests <= 10


@pytest.mark.parametrize("status", PAGES_OF_A_SITE)
def test_a_web_page_is_called_one(status: str) -> None:
    with serve(lambda body, n: PAGES_OF_A_SITE[status]) as server:
        assert "web page" in fail(server)
        assert server.requests <= 10


@pytest.mark.parametrize("answer", [(404, {}), (404, {"detail": "Not Found"}), (405, {"detail": "Method Not Allowed"})])
def test_a_path_that_is_refused_without_a_word_is_named_after_all_dialects(answer: Any) -> None:
    with serve(lambda body, n: answer) as server:
        with pytest.raises(ModelFatal, match="nothing at"):
            read(server)
        assert server.requests == 4


FATAL: dict[str, tuple[Any, str]] = {
    "402": ((402, build_error("Insufficient Balance")), "quota"),
    "402 wordless": ((402, {}), "quota"),
    "openai": (
        (
            429,
            {
                "error": {
                    "message": "You exceeded your current quota, please check your plan and billing details.",
                    "type": "insufficient_quota",
                    "code": "insufficient_quota",
                }
            },
        ),
        "quota",
    ),
    "anthropic": (
        (
            400,
            {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "Your credit balance is too low to use this API.",
                },
            },
        ),
        "quota",
    ),
    "openrouter": ((200, {"error": {"code": 402, "message": "Insufficient credits. Add more."}}), "quota"),
    "in a good answer": ((200, {"error": {"type": "insufficient_quota", "message": "no more"}}), "quota"),
    "litellm": (
        (
            400,
            {
                "error": {
                    "message": "Budget has been exceeded! Current cost: 10, Max budget: 5",
                    "type": "budget_exceeded",
                }
            },
        ),
        "quota",
    ),
    "dashscope": (
        (400, {"error": {"code": "Arrearage", "message": "Access denied, the account is overdue."}}),
        "quota",
    ),
    "key": ((401, build_error("Incorrect API key provided", "invalid_api_key")), "key"),
    "key of google": (
        (
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "message": "API key not valid. Please pass one.",
                        "status": "INVALID_ARGUMENT",
                        "details": [{"reason": "API_KEY_INVALID"}],
                    }
                }
            ],
        ),
        "key",
    ),
    "403": ((403, build_error("not for you")), "key"),
    "anthropic's own limit": ((400, build_error("You have reached your specified API usage limits.")), "quota"),
    "fireworks": ((412, build_error("Account a is suspended, maybe for reaching its monthly spending limit")), "quota"),
    "minimax": (
        (200, {"choices": None, "base_resp": {"status_code": 8, "status_msg": "insufficient balance"}}),
        "quota",
    ),
    "gateway": ((200, {"success": False, "code": 401, "message": "invalid token"}), "key"),
    "country": ((403, build_error("Country, region, or territory not supported")), "does not let this account"),
    "place": ((400, build_error("User location is not supported for the API use.")), "does not let this account"),
    "terms": ((400, build_error("m wants terms", "model_terms_required")), "does not let this account"),
    "verification": (
        (404, build_error("Your organization must be verified to use the model `m`.", "model_not_found")),
        "does not let this account",
    ),
    "privacy": ((404, build_error("No endpoints found matching your data policy")), "does not let this account"),
    "memory": ((500, build_error("model requires more system memory (5 GiB) than is available")), "cannot load"),
    "loading": ((400, {"error": {"message": "Failed to load model m", "param": "model"}}), "cannot load"),
    "template": ((400, build_error("you must provide a chat template if the tokenizer has none")), "chat with"),
    "embeddings": ((501, build_error("This server does not support completions.")), "chat with"),
    "operation": (
        (400, build_error("The chatCompletion operation does not work with the specified model")),
        "chat with",
    ),
    "proxy": (FaultAnswer(407, b""), "proxy"),
    "firewall": (FaultAnswer(403, b"<!DOCTYPE html><html>Just a moment</html>"), "firewall"),
    "page": (FaultAnswer(200, b"<!-- 7 --><html><body>Sign in</body></html>"), "web page"),
    "stream": ((400, build_error("This model only support stream mode, please enable the stream parameter")), "stream"),
    "no chat": (
        (404, build_error("This is not a chat model and thus not supported in the v1/chat/completions endpoint.")),
        "chat",
    ),
}


@pytest.mark.parametrize("what", FATAL, ids=lambda what: what.replace(" ", "_"))
def test_what_no_document_can_cure_ends_the_run_at_once(what: str) -> None:
    answer, word = FATAL[what]
    with serve(lambda body, n: answer) as server:
        assert word in fail(server)
        assert server.requests <= 10


@pytest.mark.parametrize(
    "answer", [(400, build_error("The moon is full.")), (422, build_error("no", "odd_request")), (418, {})], ids=str
)
def test_the_same_refusal_for_document_after_document_ends_the_run_and_says_why(answer: Any) -> None:
    with serve(lambda body, n: answer) as server, pytest.raises(ModelFatal, match="questions in a row") as caught:
        read_in_turn(server, [f"{TEXT}\n{i}" for i in range(30)])
    assert f"HTTP {answer[0]}" in str(caught.value) and "moon" not in str(caught.value)
    assert server.requests <= 8 + 3


def test_a_deployment_that_is_not_there_is_asked_for_its_version() -> None:
    with serve(lambda body, n: (404, {"error": {"code": "404", "message": "Resource not found"}})) as server:
        url = f"{server.url.removesuffix('/v1')}/openai/deployments/d"
        with pytest.raises(ModelFatal, match="api-version"):
            extract(TEXT, SCHEMA, model="m", base_url=url)


def test_a_refusal_of_one_document_costs_that_document() -> None:
    with serve(only_hard((400, build_error("The moon is full.")))) as server:
        results = read_in_turn(server, [TEXT, HARD, TEXT + "\n1", HARD + "\n2", TEXT + "\n3"])
    assert [str(result.status) for result in results] == [
        "complete",
        "incomplete",
        "complete",
        "incomplete",
        "complete",
    ]


def test_the_command_ends_with_its_code_and_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "order.schema.json").write_text(json.dumps(SCHEMA))

    def run(server: FaultEndpoint) -> int:
        command = ["run", "a.txt", "--schema", "order.schema.json", "--model", "m", "--no-cache", "-o", "out"]
        return main([*command, "--base-url", server.url])

    with serve(lambda body, n: FATAL["402"][0]) as server:
        assert run(server) == 2
    assert "quota" in capsys.readouterr().err
    with serve(lambda body, n: FILTERS["azure"]) as server:
        assert run(server) == 1
    with serve(lambda body, n: answer_rightly(body)) as server:
        assert run(server) == 0


def test_no_words_of_an_error_are_shown() -> None:
    secret = "HARD words of a document"
    bodies = [{"error": {"message": secret, "code": secret, "type": secret}}, {"detail": secret}, secret]
    for body in bodies:
        with serve(only_hard((400, body))) as server:
            _, hard = read_in_turn(server, [TEXT, HARD])
        assert hard.failures and "HARD words" not in json.dumps(hard.content["failures"])


CERTIFICATE = Path(__file__).parent.parent / "data" / "loopback_certificate.pem"


@contextlib.contextmanager
def listen(greet: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """An address on loopback where every connection is treated so, and how many there were."""
    listening = socket.create_server(("127.0.0.1", 0))
    tries: list[int] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            tries.append(1)
            with connection, contextlib.suppress(OSError):
                greet(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/v1", tries
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def test_a_certificate_that_is_not_trusted_is_tried_once_and_named() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def greet(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True).close()

    with listen(greet) as (url, tries), pytest.raises(ModelFatal, match="SSL_CERT_FILE"):
        extract(TEXT, SCHEMA, model="m", base_url=url)
    assert len(tries) == 1


def test_an_address_that_speaks_no_tls_is_named() -> None:
    def greet(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

    with listen(greet) as (url, tries), pytest.raises(ModelFatal, match="http://"):
        extract(TEXT, SCHEMA, model="m", base_url=url)
    assert len(tries) == 1


@pytest.mark.parametrize(
    "words",
    ["retry" + " " * 39_000, "1" * 39_000 + "x", "wait" * 9_700],
    ids=["blanks", "digits", "letters"],
)
def test_what_an_error_says_is_read_in_time_in_proportion(words: str) -> None:
    body = json.dumps({"error": {"message": words, "retryDelay": words}}).encode()

    def work() -> None:
        for _ in range(20):
            read_problem(400, body), read_problem(429, words.encode()), read_duration(words)

    assert ends_soon(work)
    assert read_duration("2m 3s") == 123 and read_problem(429, b"Please try again in 20s.").delay == 20
