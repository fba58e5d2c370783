#include "serve/api_schemas.h"

#include <string_view>

namespace atelier::serve {
namespace {

// What chat and completions share.
constexpr std::string_view kSampling = R"json({
  "model": {"$ref": "#/components/schemas/Model"},
  "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 64},
  "seed": {"type": ["integer", "null"], "minimum": -9223372036854775808, "maximum": 9223372036854775807},
  "stop": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"},
                     {"type": "array", "maxItems": 16, "items": {"type": "string", "minLength": 1}}]},
  "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
  "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
  "presence_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
  "frequency_penalty": {"type": ["number", "null"], "minimum": -2, "maximum": 2},
  "top_k": {"type": ["integer", "null"], "minimum": 0, "maximum": 1000000},
  "min_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
  "repetition_penalty": {"type": ["number", "null"], "minimum": 0.1, "maximum": 10},
  "logit_bias": {"type": ["object", "null"], "maxProperties": 1024, "propertyNames": {"pattern": "^[0-9]{1,9}$"},
                 "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100}},
  "stream": {"type": ["boolean", "null"]},
  "stream_options": {"type": ["object", "null"], "additionalProperties": false,
                     "properties": {"include_usage": {"type": ["boolean", "null"]}}},
  "user": {"type": ["string", "null"]}
})json";

constexpr std::string_view kChat = R"json({
  "messages": {"type": "array", "minItems": 1, "maxItems": 2048, "items": {
    "type": "object", "required": ["role"], "additionalProperties": false, "properties": {
      "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
      "content": {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "array", "items": {
        "type": "object", "required": ["type", "text"], "additionalProperties": false,
        "properties": {"type": {"const": "text"}, "text": {"type": "string"}}}}]},
      "name": {"type": ["string", "null"]},
      "refusal": {"type": "null"},
      "tool_call_id": {"type": ["string", "null"]},
      "tool_calls": {"type": ["array", "null"], "items": {"type": "object", "required": ["id", "type", "function"],
        "additionalProperties": false, "properties": {"id": {"type": "string"}, "type": {"const": "function"},
          "function": {"type": "object", "required": ["name", "arguments"], "additionalProperties": false,
                       "properties": {"name": {"type": "string"}, "arguments": {"type": "string"}}}}}}}}},
  "max_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1048576},
  "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1, "maximum": 1048576},
  "logprobs": {"type": ["boolean", "null"]},
  "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
  "response_format": {"anyOf": [{"type": "null"},
    {"type": "object", "required": ["type"], "additionalProperties": false,
     "properties": {"type": {"enum": ["text", "json_object"]}}},
    {"type": "object", "required": ["type", "regex"], "additionalProperties": false,
     "properties": {"type": {"const": "regex"}, "regex": {"type": "string"}}},
    {"type": "object", "required": ["type", "choices"], "additionalProperties": false, "properties": {
      "type": {"const": "choice"},
      "choices": {"type": "array", "minItems": 1, "maxItems": 10000, "items": {"type": "string"}}}},
    {"type": "object", "required": ["type", "json_schema"], "additionalProperties": false, "properties": {
      "type": {"const": "json_schema"},
      "json_schema": {"type": "object", "required": ["name", "schema"], "additionalProperties": false, "properties": {
        "name": {"type": "string"}, "description": {"type": ["string", "null"]}, "strict": {"type": ["boolean", "null"]},
        "schema": {"type": ["object", "boolean"]}}}}}]},
  "tools": {"type": ["array", "null"], "minItems": 1, "maxItems": 128, "items": {
    "type": "object", "required": ["type", "function"], "additionalProperties": false, "properties": {
      "type": {"const": "function"},
      "function": {"type": "object", "required": ["name"], "additionalProperties": false, "properties": {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, "description": {"type": ["string", "null"]},
        "strict": {"type": ["boolean", "null"]}, "parameters": {"type": ["object", "null"]}}}}}},
  "tool_choice": {"anyOf": [{"enum": ["none", "auto", "required", null]},
    {"type": "object", "required": ["type", "function"], "additionalProperties": false, "properties": {
      "type": {"const": "function"}, "function": {"type": "object", "required": ["name"],
        "additionalProperties": false, "properties": {"name": {"type": "string"}}}}}]},
  "parallel_tool_calls": {"type": ["boolean", "null"]}
})json";

constexpr std::string_view kText = R"json({
  "prompt": {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "maxItems": 64,
                                            "items": {"type": "string"}}]},
  "max_tokens": {"type": ["integer", "null"], "minimum": 0, "maximum": 1048576},
  "logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
  "echo": {"type": ["boolean", "null"]}
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["id", "object", "created", "model", "choices", "usage"], "properties": {
    "id": {"type": "string"}, "object": {"enum": ["chat.completion", "text_completion"]},
    "created": {"type": "integer"}, "model": {"type": "string"}, "system_fingerprint": {"type": "string"},
    "choices": {"type": "array", "items": {"type": "object", "required": ["index", "finish_reason"], "properties": {
      "index": {"type": "integer"}, "text": {"type": "string"}, "message": {"type": "object"},
      "logprobs": {"type": ["object", "null"]}, "finish_reason": {"enum": ["stop", "length", "tool_calls"]}}}},
    "usage": {"type": "object", "required": ["prompt_tokens", "completion_tokens", "total_tokens"], "properties": {
      "prompt_tokens": {"type": "integer"}, "completion_tokens": {"type": "integer"},
      "total_tokens": {"type": "integer"}, "prompt_tokens_details": {"type": "object"}}}}
})json";

constexpr std::string_view kEmbedding = R"json({
  "type": "object", "required": ["model", "input"], "additionalProperties": false, "properties": {
    "model": {"$ref": "#/components/schemas/Model"},
    "input": {"anyOf": [{"type": "string", "minLength": 1},
      {"type": "array", "minItems": 1, "maxItems": 2048, "items": {"type": "string", "minLength": 1}}]},
    "input_type": {"enum": ["query", "passage", null]},
    "encoding_format": {"enum": ["float", "base64", null]},
    "dimensions": {"type": ["integer", "null"], "minimum": 1, "maximum": 1048576},
    "user": {"type": ["string", "null"]}}
})json";

constexpr std::string_view kEmbeddingReply = R"json({
  "type": "object", "required": ["object", "data", "model", "usage"], "properties": {
    "object": {"const": "list"}, "model": {"type": "string"},
    "data": {"type": "array", "items": {"type": "object", "required": ["object", "index", "embedding"], "properties": {
      "object": {"const": "embedding"}, "index": {"type": "integer"}, "truncated": {"const": true},
      "embedding": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "number"}}]}}}},
    "usage": {"type": "object", "required": ["prompt_tokens", "total_tokens"], "properties": {
      "prompt_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"}}}}
})json";

constexpr std::string_view kRun = R"json({
  "type": "object", "additionalProperties": false, "description": "Either record or records",
  "properties": {
    "record": {"type": ["object", "null"]},
    "records": {"type": ["array", "null"], "minItems": 1, "maxItems": 500, "items": {"type": "object"}},
    "variant": {"type": ["string", "null"]},
    "seed": {"type": ["integer", "null"], "minimum": 0, "maximum": 9223372036854775807},
    "stream": {"type": ["boolean", "null"]}}
})json";

constexpr std::string_view kRunReply = R"json({
  "type": "object", "required": ["id", "recipe", "seed", "stored", "records", "usage"], "properties": {
    "id": {"type": "string"}, "object": {"const": "recipe.run"}, "recipe": {"type": "string"},
    "variant": {"type": "string"}, "config_hash": {"type": "string"}, "seed": {"type": "integer"},
    "stored": {"type": "boolean"}, "ready": {"type": "integer"}, "needs_person": {"type": "integer"},
    "records": {"type": "array", "items": {"type": "object", "required": ["index", "lang", "state"], "properties": {
      "index": {"type": "integer"}, "lang": {"type": "string"}, "state": {"enum": ["ready", "needs_person"]},
      "reason": {"type": "string"}, "candidates": {"type": "integer"}, "dropped": {"type": "integer"},
      "chosen": {"type": "object"}, "runners_up": {"type": "array", "items": {"type": "object"}}}}},
    "notes": {"type": "array", "items": {"type": "string"}}, "usage": {"type": "object"},
    "seconds": {"type": "number"}}
})json";

constexpr std::string_view kFeedback = R"json({
  "type": "object", "required": ["generation", "kind"], "additionalProperties": false, "properties": {
    "generation": {"type": "string"},
    "kind": {"enum": ["impression", "click", "conversion", "rating", "edit", "flag", "comment"]},
    "value": {"type": ["number", "null"], "description": "rating: 1 to 5; conversion: what it was worth"},
    "text": {"type": ["string", "null"], "description": "comment, flag, rating"},
    "output": {"type": ["object", "null"], "description": "edit: the whole output as it should have been",
               "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}},
    "idempotency_key": {"type": ["string", "null"], "maxLength": 200}}
})json";

constexpr std::string_view kMcp = R"json({
  "type": "object", "required": ["jsonrpc", "method"], "properties": {
    "jsonrpc": {"const": "2.0"}, "id": {"type": ["string", "integer"]},
    "method": {"enum": ["initialize", "notifications/initialized", "ping", "tools/list", "tools/call"]},
    "params": {"type": "object"}}
})json";

constexpr std::string_view kError = R"json({
  "type": "object", "required": ["error"], "properties": {"error": {
    "type": "object", "required": ["message", "type", "param", "code"], "properties": {
      "message": {"type": "string"}, "type": {"type": "string"}, "param": {"type": ["string", "null"]},
      "code": {"type": "string"}}}}
})json";

Json Parse(std::string_view text) { return ParseJson(text, "schema"); }

Json RequestOf(std::string_view own, const char* needed) {
  Json properties = Parse(kSampling);
  properties.update(Parse(own));
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", Json::array({"model", needed})},
          {"additionalProperties", false}};
}

Json NameOf(const std::vector<std::string>& names) {
  Json schema = {{"type", "string"}, {"minLength", 1}};
  if (!names.empty()) schema["enum"] = names;
  return schema;
}

}  // namespace

Json ChatRequestSchema() { return RequestOf(kChat, "messages"); }
Json CompletionRequestSchema() { return RequestOf(kText, "prompt"); }
Json CompletionReplySchema() { return Parse(kReply); }
Json EmbeddingRequestSchema() { return Parse(kEmbedding); }
Json EmbeddingReplySchema() { return Parse(kEmbeddingReply); }
Json RunRequestSchema() { return Parse(kRun); }
Json RunReplySchema() { return Parse(kRunReply); }
Json FeedbackRequestSchema() { return Parse(kFeedback); }
Json McpRequestSchema() { return Parse(kMcp); }

Json Components(const std::vector<std::string>& models, const std::vector<std::string>& recipes) {
  return {{"Error", Parse(kError)}, {"Model", NameOf(models)}, {"Recipe", NameOf(recipes)}};
}

}  // namespace atelier::serve
