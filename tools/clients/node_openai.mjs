// What the official OpenAI client for Node makes of `atelier serve`. Usage: node node_openai.mjs BASE_URL NODE_FOLDER
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [base, folder] = process.argv.slice(2);
const { OpenAI } = createRequire(`${folder}/x.js`)("openai");
const client = new OpenAI({ baseURL: base, apiKey: "unused", maxRetries: 0 });
const model = "smollm2";
const messages = [{ role: "user", content: "Name two colours. 你好 🎈" }];

const models = [];
for await (const one of client.models.list()) models.push(one.id);
assert.deepEqual(models, ["e5-small", model, "tags"]);
const vectors = await client.embeddings.create({ model: "e5-small", input: ["手冲咖啡壶", "a kettle"] });
assert.deepEqual(vectors.data.map((one) => one.embedding.length), [384, 384]);

const whole = await client.chat.completions.create({ model, messages, seed: 5, max_tokens: 24 });
let text = "", usage = null;
const stream = await client.chat.completions.create(
  { model, messages, seed: 5, max_tokens: 24, stream: true, stream_options: { include_usage: true } });
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.equal(text, whole.choices[0].message.content);
assert.equal(usage.total_tokens, whole.usage.total_tokens);

// The helper that puts a stream together again.
const runner = client.chat.completions.stream({ model, messages, seed: 5, max_tokens: 24 });
assert.equal(await runner.finalContent(), text);

const schema = { type: "object", properties: { colour: { enum: ["red", "茶"] } }, required: ["colour"], additionalProperties: false };
const made = await client.chat.completions.create(
  { model, messages, seed: 1, response_format: { type: "json_schema", json_schema: { name: "c", schema, strict: true } } });
assert.ok(["red", "茶"].includes(JSON.parse(made.choices[0].message.content).colour));

const tools = [{ type: "function", function: { name: "paint", parameters: schema } }];
const called = await client.chat.completions.create({ model: "tags", messages, seed: 2, tools, tool_choice: "required" });
assert.equal(called.choices[0].finish_reason, "tool_calls");
for (const call of called.choices[0].message.tool_calls) assert.ok(["red", "茶"].includes(JSON.parse(call.function.arguments).colour));
const streamed = client.chat.completions.stream({ model: "tags", messages, seed: 2, tools, tool_choice: "required" });
const final = await streamed.finalChatCompletion();
assert.deepEqual(final.choices[0].message.tool_calls.map((c) => c.function.arguments),
  called.choices[0].message.tool_calls.map((c) => c.function.arguments));

const plain = await client.completions.create({ model, prompt: ["One, two,", "Red,"], max_tokens: 4, temperature: 0 });
assert.equal(plain.choices.length, 2);

await assert.rejects(client.chat.completions.create({ model, messages, audio: { voice: "x" } }), (error) =>
  error instanceof OpenAI.BadRequestError && error.param === "audio");
await assert.rejects(client.chat.completions.create({ model: "nobody", messages }), OpenAI.NotFoundError);
console.log("node openai: ok");
