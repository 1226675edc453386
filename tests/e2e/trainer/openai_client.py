"""Asks an endpoint by OpenAI's public client: python3 openai_client.py URL TOKEN_FILE, of the models `terms` and `polite`."""
import pathlib
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key=pathlib.Path(sys.argv[2]).read_text().strip(), max_retries=0)
ask = [{"role": "user", "content": "Define: slag"}]

assert [model.id for model in client.models.list()] == ["terms", "polite"]
assert client.models.retrieve("polite").id == "polite"

chat = client.chat.completions.create(model="terms", messages=ask, max_tokens=12, temperature=0, seed=1)
said = chat.choices[0].message.content
assert chat.choices[0].message.role == "assistant" and chat.choices[0].finish_reason in ("stop", "length")
assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens
assert chat.object == "chat.completion" and chat.model == "terms"

pieces, usage, reasons = "", None, []
with client.chat.completions.create(model="terms", messages=ask, max_tokens=12, temperature=0, stream=True,
                                    stream_options={"include_usage": True}) as stream:
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            pieces += choice.delta.content or ""
            reasons.append(choice.finish_reason)
assert pieces == said, (pieces, said)
assert usage.completion_tokens == chat.usage.completion_tokens
assert reasons[-1] == chat.choices[0].finish_reason and not any(reasons[:-1])

scored = client.chat.completions.create(model="polite", messages=ask, max_tokens=3, logprobs=True, top_logprobs=2)
assert len(scored.choices[0].logprobs.content) == scored.usage.completion_tokens
assert len(scored.choices[0].logprobs.content[0].top_logprobs) == 2

plain = client.completions.create(model="polite", prompt=["Define: slag", "Define: coil"], max_tokens=5, temperature=0.7, seed=2)
assert [choice.index for choice in plain.choices] == [0, 1]
again = client.completions.create(model="polite", prompt=["Define: slag", "Define: coil"], max_tokens=5, temperature=0.7, seed=2)
assert [choice.text for choice in again.choices] == [choice.text for choice in plain.choices]
streamed = ["", ""]
for chunk in client.completions.create(model="polite", prompt=["Define: slag", "Define: coil"], max_tokens=5, temperature=0.7,
                                       seed=2, stream=True):
    for choice in chunk.choices:
        streamed[choice.index] += choice.text
assert streamed == [choice.text for choice in plain.choices], streamed

several = client.chat.completions.create(model="terms", messages=ask, max_tokens=12, temperature=1, seed=3, n=3)
assert [choice.index for choice in several.choices] == [0, 1, 2]
assert several.usage.prompt_tokens == chat.usage.prompt_tokens
assert len({choice.message.content for choice in several.choices}) > 1
first = client.chat.completions.create(model="terms", messages=ask, max_tokens=12, temperature=1, seed=3)
assert first.choices[0].message.content == several.choices[0].message.content

stopped = client.chat.completions.create(model="terms", messages=ask, max_tokens=12, temperature=0, stop=[said[3:5]])
assert stopped.choices[0].message.content == said[:said.index(said[3:5])] and stopped.choices[0].finish_reason == "stop"


def error_of(kind, **arguments):
    try:
        client.chat.completions.create(**{"model": "terms", "messages": ask, **arguments})
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


assert error_of(openai.NotFoundError, model="rude").code == "model_not_found"
assert error_of(openai.BadRequestError, messages=[{"role": "user", "content": "a" * 300}]).code == "context_length_exceeded"
assert error_of(openai.BadRequestError, n=0).param == "n"
assert error_of(openai.BadRequestError, temperature=3).param == "temperature"
stranger = openai.OpenAI(base_url=sys.argv[1], api_key="wrong", max_retries=0)
try:
    stranger.models.list()
    raise AssertionError("it let a stranger in")
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key", error
print("fine")
