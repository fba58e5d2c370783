// Answers in the shapes of the OpenAI API: whole ones, and the chunks of a stream. Pure: results in, JSON out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/generator.h"
#include "base/json.h"
#include "serve/completion_request.h"

namespace atelier::serve {

// What every answer to one request says of it.
struct ReplyHead {
  bool chat = false;
  std::string id;       // "chatcmpl-..." or "cmpl-..."
  int64_t created = 0;  // Unix seconds
  std::string model;
  std::string fingerprint;  // the engine that wrote it: build, instruction set, threads
};

std::string_view FinishReason(artefact::Finish finish);  // "stop" or "length"

struct Usage {
  int64_t prompt = 0, cached = 0, completion = 0;
};
// Prompt tokens count once per prompt, however many samples continue it.
Usage UsageOf(const std::vector<artefact::GenerateResult>& results);

// One result per prompt, each with `n` samples; choice i*n + k is sample k of prompt i.
Json WholeReply(const ReplyHead& head, const CompletionRequest& request,
                const std::vector<artefact::GenerateResult>& results, const artefact::Generator& model);

Json FirstChunk(const ReplyHead& head, int index);  // chat: says the role
Json TextChunk(const ReplyHead& head, int index, std::string_view text);
Json LastChunk(const ReplyHead& head, int index, artefact::Finish finish);
Json UsageChunk(const ReplyHead& head, const Usage& usage);

}  // namespace atelier::serve
