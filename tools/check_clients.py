#!/usr/bin/env python3
"""Tries the clients that people have, unchanged, on `atelier serve`: the official OpenAI clients for Python and Node,
LangChain's ChatOpenAI, and the Model Context Protocol's own client.

    tools/clients/fetch.sh build/peer/clients
    tools/check_clients.py build/release/atelier build/peer/clients

Needs smollm2 and e5-small in the user's store. Starts its own server, prints the versions, exits with 1 at the first that fails.
"""
import asyncio
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = "smollm2"
EMBEDDER = "e5-small"
CALLER = "tags"  # the same weights, with a chat template that knows tools
MESSAGES = [{"role": "user", "content": "Name two colours. 你好 🎈"}]
SCHEMA = {"type": "object", "properties": {"colour": {"enum": ["red", "茶"]}, "count": {"type": "integer", "minimum": 3}},
          "required": ["colour", "count"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "paint", "description": "Paints. 涂色", "strict": True, "parameters": SCHEMA}}


def python_openai(base):
    import openai
    client = openai.OpenAI(base_url=base, api_key="unused", max_retries=0)
    assert [m.id for m in client.models.list()] == [EMBEDDER, MODEL, CALLER]
    assert client.models.retrieve(MODEL).id == MODEL
    ask = dict(model=MODEL, messages=MESSAGES, seed=5, max_tokens=24, n=2)
    whole = client.chat.completions.create(**ask, logprobs=True, top_logprobs=2)
    assert len(whole.choices) == 2 and len(whole.choices[0].logprobs.content[0].top_logprobs) == 2
    assert whole.usage.completion_tokens == sum(len(c.logprobs.content) for c in whole.choices)
    texts, usage = ["", ""], None
    for chunk in client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
        usage = chunk.usage or usage
    assert texts == [c.message.content for c in whole.choices], "streamed text equals the other"
    assert usage.total_tokens == whole.usage.total_tokens
    with client.chat.completions.stream(model=MODEL, messages=MESSAGES, seed=5, max_tokens=24) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.content == texts[0]
    form = {"type": "json_schema", "json_schema": {"name": "c", "schema": SCHEMA, "strict": True}}
    for temperature in (0, 1.5):
        made = client.chat.completions.create(model=MODEL, messages=MESSAGES, response_format=form, temperature=temperature)
        value = json.loads(made.choices[0].message.content)
        assert value["colour"] in ("red", "茶") and value["count"] >= 3, value
    import pydantic

    class Colour(pydantic.BaseModel):
        name: str = pydantic.Field(max_length=12)
        warm: bool
    parsed = client.chat.completions.parse(model=MODEL, messages=MESSAGES, response_format=Colour, seed=3)
    assert isinstance(parsed.choices[0].message.parsed, Colour)
    text = client.completions.create(model=MODEL, prompt=["One, two,", "红，"], max_tokens=4, temperature=0, echo=True)
    assert [c.text.startswith(p) for c, p in zip(text.choices, ["One, two,", "红，"])] == [True, True], text
    for bad, param in [(dict(audio={"voice": "x", "format": "wav"}), "audio"), (dict(temperature=9), "temperature")]:
        try:
            client.chat.completions.create(model=MODEL, messages=MESSAGES, **bad)
            raise AssertionError(f"{bad} was taken")
        except openai.BadRequestError as error:
            assert error.param == param, error
    vectors = client.embeddings.create(model=EMBEDDER, input=["手冲咖啡壶", "a kettle for coffee", "the stock market"])
    kettle, english, stocks = (item.embedding for item in vectors.data)  # the client asks for base64
    assert len(kettle) == 384 and vectors.usage.prompt_tokens == vectors.usage.total_tokens > 12
    near = [sum(a * b for a, b in zip(kettle, other)) for other in (kettle, english, stocks)]
    assert abs(near[0] - 1) < 1e-4 and near[1] > near[2], near
    floats = client.embeddings.create(model=EMBEDDER, input="手冲咖啡壶", encoding_format="float", dimensions=384)
    assert all(abs(a - b) < 1e-6 for a, b in zip(floats.data[0].embedding, kettle))
    query = client.embeddings.create(model=EMBEDDER, input="手冲咖啡壶", extra_body={"input_type": "query"})
    assert query.data[0].embedding != kettle
    for model, ask in ((MODEL, "x"), (EMBEDDER, [[1, 2]])):
        try:
            client.embeddings.create(model=model, input=ask)
            raise AssertionError(f"{model} took {ask}")
        except openai.BadRequestError as error:
            assert error.param == ("model" if model == MODEL else "input"), error
    try:
        client.chat.completions.create(model="nobody", messages=MESSAGES)
        raise AssertionError("a model that is not there")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found"

    ask = dict(model=CALLER, messages=MESSAGES, tools=[TOOL], tool_choice="required", seed=3, max_tokens=200,
               parallel_tool_calls=False)
    said = client.chat.completions.create(**ask).choices[0]
    assert said.finish_reason == "tool_calls" and said.message.content is None
    called = said.message.tool_calls[0]
    assert called.function.name == "paint"
    value = json.loads(called.function.arguments)
    assert value["colour"] in ("red", "茶") and value["count"] >= 3, value
    with client.chat.completions.stream(**ask) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.tool_calls[0].function.arguments == called.function.arguments
    answer = {"role": "tool", "tool_call_id": called.id, "content": "painted 🎨"}
    after = client.chat.completions.create(model=CALLER, messages=[*MESSAGES, said.message, answer], tools=[TOOL],
                                           tool_choice="none", max_tokens=8)
    assert after.choices[0].message.tool_calls is None

    async def many():
        async with openai.AsyncOpenAI(base_url=base, api_key="unused") as several:
            replies = await asyncio.gather(*(several.chat.completions.create(model=MODEL, messages=MESSAGES, seed=5, max_tokens=24)
                                             for _ in range(8)))
            return {r.choices[0].message.content for r in replies}
    assert asyncio.run(many()) == {texts[0]}, "one seed, one text, however many ask"
    return openai.__version__


def langchain(base):
    import importlib.metadata
    from langchain_openai import ChatOpenAI
    chat = ChatOpenAI(base_url=base, api_key="unused", model=MODEL, temperature=0, max_tokens=24, seed=5)
    said = chat.invoke("Name two colours.")
    assert said.content and said.usage_metadata["output_tokens"] > 0
    assert "".join(chunk.content for chunk in chat.stream("Name two colours.")) == said.content
    assert [m.content for m in chat.batch(["Name two colours."] * 3)] == [said.content] * 3
    longer = ChatOpenAI(base_url=base, api_key="unused", model=MODEL, temperature=1, max_tokens=200, seed=5)
    value = longer.with_structured_output({"title": "c", **SCHEMA}, method="json_schema").invoke("A colour, please.")
    assert value["colour"] in ("red", "茶") and value["count"] >= 3
    caller = ChatOpenAI(base_url=base, api_key="unused", model=CALLER, temperature=1, max_tokens=200, seed=5)
    calls = caller.bind_tools([TOOL], tool_choice="any").invoke("Paint something.").tool_calls
    assert calls and all(call["name"] == "paint" and call["args"]["count"] >= 3 for call in calls), calls
    return importlib.metadata.version("langchain-openai")


def protocol(base):
    import importlib.metadata
    from mcp.client import Client
    record = {"name": "手冲咖啡壶", "category": "咖啡器具", "features": ["304不锈钢", "细口壶嘴", "600毫升"], "price": "128元"}

    async def talk():
        heard = []

        async def progress(now, total, message):
            heard.append(now)
        async with Client(base.removesuffix("/v1") + "/mcp") as client:
            tools = (await client.list_tools()).tools
            assert [t.name for t in tools] == ["ad_copy", "ask_docs", "judge_copy", "product_rows"]
            result = await client.call_tool("ad_copy", record, progress_callback=progress)
            assert not result.is_error and result.structured_content["state"] == "ready", result
            assert heard == sorted(heard) and len(heard) > 3
            assert (await client.call_tool("ad_copy", {"nme": "x"})).is_error
    asyncio.run(talk())
    return importlib.metadata.version("mcp")


def main():
    atelier, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    if len(sys.argv) == 3:  # the clients live in their own environment
        sys.exit(subprocess.run([folder / "python/bin/python", __file__, atelier, folder, "inside"]).returncode)
    sys.path.insert(0, str(ROOT / "tests"))
    from serve_tools_test import TAGS
    from serving import Server, register, studio_with, weights, with_chat_template
    studio = studio_with(str(atelier), MODEL, EMBEDDER)
    tagged = pathlib.Path(studio).parent / f"{CALLER}.gguf"
    with_chat_template(weights(MODEL), tagged, TAGS)
    register(str(atelier), studio, tagged, CALLER)
    server = Server(str(atelier), studio)
    base = f"http://127.0.0.1:{server.port}/v1"
    try:
        print("python openai", python_openai(base), flush=True)
        print("langchain-openai", langchain(base), flush=True)
        print("mcp", protocol(base), flush=True)
        subprocess.run([folder / "python/bin/node", ROOT / "tools/clients/node_openai.mjs", base, folder / "node"], check=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
