"""langextract's OpenAI provider on the server of throughput.py, run by a Python that has langextract and not us.

Its provider alone, with all prompts at once: prompts in, text out, in threads of its own. What langextract does besides
(chunks, prompts, alignment) is left out, and so is any schema; replies are read as JSON after the clock has stopped.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    from langextract.providers.openai import OpenAILanguageModel

    url, requests, at_once, text = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    model = OpenAILanguageModel(model_id="m", api_key="none", base_url=url, temperature=0.0, max_workers=at_once)
    prompts = [f"{i} {text}" for i in range(requests)]
    list(model.infer([f"-1 {text}"]))  # imports, and the first connection
    wall, cpu = time.perf_counter(), time.process_time()
    answers = list(model.infer(prompts))
    wall, cpu = time.perf_counter() - wall, (time.process_time() - cpu) / requests * 1000
    assert len(answers) == requests and all(json.loads(a[0].output) for a in answers)
    print(json.dumps([wall, cpu]))


if __name__ == "__main__":
    main()
