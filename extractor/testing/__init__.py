"""For tests of programs that use extractor: a model that answers as scripted, and an endpoint that fails as scripted.

    model = ScriptedModel({"number": "A-7"})
    assert extract(text, Order, model=model).record.number == "A-7"
    assert "A-7" in model.requests[0].user

    with FaultEndpoint(lambda body, n: FaultAnswer(503) if n == 1 else '{"number": "A-7"}') as endpoint:
        assert extract(text, Order, model="m", base_url=endpoint.url).record.number == "A-7"

Neither reaches any network but the loopback.
"""

from extractor.testing.fault_endpoint import (
    FaultAnswer,
    FaultEndpoint,
    build_calls,
    build_completion,
    build_error,
    build_reply,
)
from extractor.testing.scripted_model import ScriptedModel, fit_reply

__all__ = [
    "FaultAnswer",
    "FaultEndpoint",
    "ScriptedModel",
    "build_calls",
    "build_completion",
    "build_error",
    "build_reply",
    "fit_reply",
]
