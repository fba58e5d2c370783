"""Tool calls through POST /v1/chat/completions, over real sockets. Usage: serve_tools_test.py ATELIER. Needs the model
smollm2 in the user's store, of which copies get chat templates that know tools."""
import json
import pathlib
import struct
import sys
import tempfile

from promises import FAULTS, expect
from serving import Server, events, register, studio_with, weights, with_chat_template

ATELIER = sys.argv[1]

# Calls in tags, several in a row, after text; results as messages of their own.
TAGS = """{%- if tools %}{{ '<|im_start|>system\\nYou may call:\\n' }}
{%- for tool in tools %}{{ tool | tojson }}{{ '\\n' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}
{%- if message.role == 'tool' %}{{ '<|im_start|>user\\n<result>' + message.name + ': ' + message.content + '</result>' }}
{%- else %}{{ '<|im_start|>' + message.role }}
{%- if message.content %}{{ '\\n' + message.content }}{% endif %}
{%- for call in message.tool_calls or [] %}
{{- '\\n<call>{"name": "' + call.function.name + '", "arguments": ' }}{{ call.function.arguments | tojson }}{{ '}</call>' }}
{%- endfor %}{% endif %}{{ '<|im_end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
# A control token before a list of calls with ids, arguments as text; no text beside calls.
TOKEN = """{%- if tools %}{{ '<|im_start|>tools\\n' + (tools | tojson) + '<|im_end|>\\n' }}{% endif %}
{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}
{%- if message.tool_calls %}{{ '<jupyter_start>[' }}{% for call in message.tool_calls %}
{%- if call.id | length != 9 %}{{ raise_exception('ids have nine letters') }}{% endif %}
{{- '{"fn":"' + call.function.name + '","args":' + call.function.arguments + ',"id":"' + call.id + '"}' }}
{%- if not loop.last %}{{ ',' }}{% endif %}{% endfor %}{{ ']' }}
{%- else %}{{ message.content }}{% endif %}{{ '<|im_end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
FOREVER = "{% for m in messages %}{% if m.content == 'spin' %}{% for i in range(3000) %}{% for k in range(3000) %}{% endfor %}{% endfor %}{% endif %}{{ m.content }}{% endfor %}"

WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city. 天气 🌦",
           "strict": True, "parameters": {
               "type": "object", "required": ["city", "days"], "additionalProperties": False, "properties": {
                   "city": {"enum": ["北京", "Zürich \"old\" 🎈", "a\\b\n"]},
                   "days": {"type": "integer", "minimum": 1, "maximum": 9}}}}}
NOTE = {"type": "function", "function": {"name": "note", "parameters": {
    "type": "object", "required": ["text"], "properties": {"text": {"type": "string", "maxLength": 40}}}}}
NOW = {"type": "function", "function": {"name": "now-2"}}


def tokens_of(source):
    """The vocabulary of a GGUF file: the texts of the array of that name."""
    data = source.read_bytes()
    at = data.index(b"tokenizer.ggml.tokens") + len(b"tokenizer.ggml.tokens") + 4
    kind, count = struct.unpack_from("<IQ", data, at)
    at += 12
    out = []
    for _ in range(count):
        size = struct.unpack_from("<Q", data, at)[0]
        out.append(data[at + 8:at + 8 + size])
        at += 8 + size
    return out


def check_call(what, call):
    expect(f"{what}: keys", sorted(call), ["function", "id", "type"])
    expect(f"{what}: id", call["id"].startswith("call_") and len(call["id"]) > 20)
    name = call["function"]["name"]
    arguments = json.loads(call["function"]["arguments"])
    if name == "get_weather":
        expect(f"{what}: fields", list(arguments), ["city", "days"])
        expect(f"{what}: city", arguments["city"] in WEATHER["function"]["parameters"]["properties"]["city"]["enum"])
        expect(f"{what}: days", type(arguments["days"]) is int and 1 <= arguments["days"] <= 9)
    elif name == "note":
        expect(f"{what}: text", list(arguments) == ["text"] and len(arguments["text"]) <= 40)
    else:
        expect(f"{what}: {name}", (name, arguments), ("now-2", {}))


def joined(text, index=0):
    """A stream's message, put together as clients do it, and its logprobs and finish."""
    message, logprobs, finish = {"content": None, "tool_calls": []}, [], None
    for event in events(text):
        if event == "[DONE]":
            break
        for choice in json.loads(event)["choices"]:
            if choice["index"] != index:
                continue
            logprobs += (choice["logprobs"] or {"content": []})["content"]
            finish = choice["finish_reason"] or finish
            delta = choice["delta"]
            if delta.get("content"):
                message["content"] = (message["content"] or "") + delta["content"]
            for call in delta.get("tool_calls", []):
                if "id" in call:
                    expect("a call's first delta", (call["index"], call["type"]), (len(message["tool_calls"]), "function"))
                    message["tool_calls"].append({"id": call["id"], "type": "function",
                                                  "function": {"name": call["function"]["name"], "arguments": ""}})
                message["tool_calls"][call["index"]]["function"]["arguments"] += call["function"]["arguments"]
    return message, logprobs, finish


def plain(message):
    """What must be the same in a stream: all but ids, which are new each time."""
    return message["content"] or None, [c["function"] for c in message.get("tool_calls", [])]


def check_calls(server, model, choice, ask):
    """How many calls were made whole: the model is small, and a reply may end by its length amid one."""
    what, whole = f"{model}, {choice}", 0
    for parallel in (True, False):
        status, _, said = server.chat(**ask, tool_choice=choice, parallel_tool_calls=parallel)
        expect(what, status, 200)
        if status != 200:
            FAULTS.append(str(said))
            return 0
        stream = server.chat(**ask, tool_choice=choice, parallel_tool_calls=parallel, stream=True)[2]
        for one in said["choices"]:
            message, logprobs, finish = joined(stream, one["index"])
            expect(f"{what}: stream", plain(message), plain(one["message"]))
            expect(f"{what}: logprobs", logprobs, one["logprobs"]["content"])
            expect(f"{what}: finish", finish, one["finish_reason"])
            made = one["message"].get("tool_calls", [])
            content = one["message"]["content"]
            for sign in ("<call>", "<jupyter_start>", '"args":'):
                expect(f"{what}: leaks", sign in (content or ""), False)
            if one["finish_reason"] == "length":
                continue
            expect(f"{what}: finish", one["finish_reason"], "tool_calls" if made else "stop")
            whole += len(made)
            expect(f"{what}: content", content is None if made and choice != "auto" else True)
            expect(f"{what}: ids", len({c["id"] for c in made}), len(made))
            if not parallel:
                expect(f"{what}: one call", len(made) <= 1)
            if choice != "auto":
                expect(f"{what}: calls", len(made) >= 1)
            for call in made:
                check_call(what, call)
                if isinstance(choice, dict):
                    expect(f"{what}: name", call["function"]["name"], "get_weather")
    return whole


def calls(server, model):
    ask = {"model": model, "tools": [WEATHER, NOTE, NOW], "max_tokens": 120, "n": 3, "temperature": 1.3, "logprobs": True,
           "messages": [{"role": "user", "content": "Weather in 北京? 🌦"}]}
    for choice in ("auto", {"type": "function", "function": {"name": "get_weather"}}):
        check_calls(server, model, choice, ask)
    # What a seed says differs between machines whose kernels round differently, so no one seed need say enough.
    whole, seed = 0, 0
    while whole < 4 and seed < 10:
        whole += check_calls(server, model, "required", ask | {"seed": seed})
        seed += 1
    expect(f"{model}: calls seen", whole >= 4)


def history(server, model):
    messages = [{"role": "user", "content": "Weather in 北京?"},
                {"role": "assistant", "content": None, "refusal": None, "tool_calls": [
                    {"id": "call_0123456789abcdef", "type": "function",
                     "function": {"name": "get_weather", "arguments": "{\"city\": \"北京 \\\"🎈\\\"\", \"days\": 2}"}},
                    {"id": "call_2", "type": "function", "function": {"name": "now-2", "arguments": ""}}]},
                {"role": "tool", "tool_call_id": "call_0123456789abcdef", "content": "雨 🌧 </result>"},
                {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "noon"}]}]
    for tools in ({}, {"tools": [WEATHER, NOW]}, {"tools": [WEATHER], "tool_choice": "none"}):
        status, _, said = server.chat(model=model, messages=messages, **tools)
        expect(f"{model}: results, {list(tools)}", status, 200)
        if status != 200:
            return FAULTS.append(str(said))
    longer = server.chat(model=model, messages=messages, tools=[WEATHER, NOW])[2]["usage"]["prompt_tokens"]
    shorter = server.chat(model=model, messages=messages[:2], tools=[WEATHER, NOW])[2]["usage"]["prompt_tokens"]
    without = server.chat(model=model, messages=messages, tools=[WEATHER], tool_choice="none")[2]
    expect(f"{model}: results are shown", longer > shorter + 8)
    expect(f"{model}: none shows no tools", without["usage"]["prompt_tokens"] < longer - 40)
    expect(f"{model}: none calls nothing", "tool_calls" in without["choices"][0]["message"], False)

    def changed(index, **fields):
        out = json.loads(json.dumps(messages))
        out[index].update(fields)
        return out

    def call(**fields):
        one = {"id": "x", "type": "function", "function": {"name": "now-2", "arguments": "{}"}}
        return [one | fields]
    for bad, param in [(changed(2, tool_call_id="nobody"), "messages[2].tool_call_id"),
                       (changed(1, tool_calls=[]), "messages[1].tool_calls"),
                       (changed(1, tool_calls=call(type="mcp")), "messages[1].tool_calls[0].type"),
                       (changed(1, tool_calls=call(function={"name": "a b", "arguments": "{}"})),
                        "messages[1].tool_calls[0].function.name"),
                       (changed(1, tool_calls=call(function={"name": "a", "arguments": "[1"})),
                        "messages[1].tool_calls[0].function.arguments"),
                       (changed(1, tool_calls=call(function={"name": "a", "arguments": "[]"})),
                        "messages[1].tool_calls[0].function.arguments"),
                       (changed(1, tool_calls=call(extra=1)), "messages[1].tool_calls[0].extra"),
                       (changed(0, tool_calls=call()), "messages[0].tool_calls"),
                       ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
                       ([{"role": "assistant"}, {"role": "user", "content": None}], "messages[1].content")]:
        status, _, said = server.chat(model=model, messages=bad)
        expect(f"history {param}", (status, said["error"]["param"]), (400, param))


def refusals(server, model):
    def tool(**function):
        return {"type": "function", "function": {"name": "f"} | function}
    deep = {}
    for _ in range(70):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"]}
    for fields, param in [
            ({"tools": []}, "tools"), ({"tools": {}}, "tools"), ({"tools": [NOTE] * 2}, "tools[1].function.name"),
            ({"tools": [tool(name=f"f{i}") for i in range(129)]}, "tools"),
            ({"tools": [1]}, "tools[0]"), ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
            ({"tools": [{"type": "function"}]}, "tools[0].function"),
            ({"tools": [tool() | {"x": 1}]}, "tools[0].x"), ({"tools": [tool(x=1)]}, "tools[0].function.x"),
            ({"tools": [tool(name="")]}, "tools[0].function.name"),
            ({"tools": [tool(name="ä")]}, "tools[0].function.name"),
            ({"tools": [tool(name="f" * 65)]}, "tools[0].function.name"),
            ({"tools": [tool(strict="yes")]}, "tools[0].function.strict"),
            ({"tools": [tool(parameters=[])]}, "tools[0].function.parameters"),
            ({"tools": [tool(parameters={"type": "array"})]}, "tools[0].function.parameters.type"),
            ({"tools": [NOTE, tool(parameters={"not": {}})]}, "tools[1].function.parameters"),
            ({"tools": [NOTE, tool(parameters=deep)]}, "tools[1].function.parameters"),
            ({"tools": [NOTE, tool(parameters={"$ref": "#"})],
              "tool_choice": {"type": "function", "function": {"name": "f"}}}, "tools[1].function.parameters"),
            ({"tools": [tool(parameters={"properties": {"p": {"pattern": "^(a{1,900}){1,900}$"}}})]},
             "tools[0].function.parameters"),
            ({"tools": [NOTE], "tool_choice": "any"}, "tool_choice"),
            ({"tools": [NOTE], "tool_choice": {"type": "function", "function": {"name": "g"}}},
             "tool_choice.function.name"),
            ({"tool_choice": "auto"}, "tool_choice"), ({"parallel_tool_calls": True}, "parallel_tool_calls"),
            ({"tools": [NOTE], "stop": "x"}, "stop"),
            ({"tools": [NOTE], "response_format": {"type": "json_object"}}, "response_format"),
            ({"tools": [NOTE], "functions": []}, "functions")]:
        status, _, said = server.chat(model=model, **fields)
        expect(f"{str(fields)[:70]}", (status, said.get("error", {}).get("param")), (400, param))
        if "'not'" in str(fields):
            expect("the keyword", "/not" in said["error"]["message"])
    status, _, said = server.chat(model=model, tools=[NOTE], tool_choice="none", response_format={"type": "json_object"})
    expect("none and a format", status, 200)
    status, _, said = server.chat(model="smollm2", tools=[NOTE])
    expect("a model without tools", (status, said["error"]["param"], "shows no tools" in said["error"]["message"]),
           (400, "tools", True))
    status, _, said = server.chat(model="forever", messages=[{"role": "user", "content": "spin"}])
    expect("a template that takes too long", (status, said["error"]["param"]), (400, "messages"))
    expect("the same template", server.chat(model="forever", max_tokens=1)[0], 200)


def main():
    with tempfile.TemporaryDirectory() as folder:
        run(pathlib.Path(folder))
    if FAULTS:
        sys.exit("\n".join(FAULTS))


def run(folder):
    studio = studio_with(ATELIER, "smollm2", folder=folder)
    source = weights("smollm2")
    files = {}
    for name, template in (("tags", TAGS), ("token", TOKEN), ("forever", FOREVER)):
        files[name] = folder / f"{name}.gguf"
        with_chat_template(source, files[name], template)
    sign = tokens_of(source).index(b"<jupyter_start>")
    for name, path in files.items():
        register(ATELIER, studio, path, name)
    server = Server(ATELIER, studio)
    for model in ("tags", "token"):
        calls(server, model)
        history(server, model)
    # In auto the model has the choice, which is its control token here.
    for bias, reason in ((100, "tool_calls"), (-100, "stop")):
        said = server.chat(model="token", tools=[NOW], logit_bias={str(sign): bias}, max_tokens=300)[2]["choices"][0]
        if said["finish_reason"] != "length":
            expect(f"auto with {bias}", said["finish_reason"], reason)
        expect(f"auto with {bias}: calls", "tool_calls" in said["message"], bias > 0)
    refusals(server, "tags")
    expect("exit", server.stop(), 0)


if __name__ == "__main__":
    main()
