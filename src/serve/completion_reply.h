// Answers in the shapes of the OpenAI API: whole ones, and the chunks of a stream. Pure: results in, JSON out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "artefact/generator.h"
#include "base/json.h"
#include "runtime/call_reader.h"
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

struct Usage {
  int64_t prompt = 0, cached = 0, completion = 0;
};
// Prompt tokens count once per prompt, however many samples continue it.
Usage UsageOf(const std::vector<artefact::GenerateResult>& results);

// One result per prompt, each with `n` samples; choice i*n + k is sample k of prompt i.
Json WholeReply(const ReplyHead& head, const CompletionRequest& request,
                const std::vector<artefact::GenerateResult>& results, const artefact::Generator& model);

// One choice of a stream: what comes of its sample, as chunks.
class ChoiceStream {
 public:
  // REQUIRES: all of it outlives this.
  ChoiceStream(const ReplyHead& head, const CompletionRequest& request, const artefact::Generator& model, int index);

  std::vector<Json> First();  // the role, and a prompt that is echoed
  std::vector<Json> Chunks(const artefact::StreamPiece& piece);
  std::vector<Json> Last(artefact::Finish finish);

 private:
  Json Chunk(Json delta);  // with the logprobs that were not told yet
  std::vector<Json> ChunksOf(const std::vector<runtime::CallReader::Event>& events);

  const ReplyHead& head_;
  const CompletionRequest& request_;
  const artefact::Generator& model_;
  int index_;
  std::optional<runtime::CallReader> calls_;
  int call_count_ = 0;
  std::vector<artefact::TokenLogprob> untold_;
  size_t offset_ = 0;  // of the next token in the text
};

Json UsageChunk(const ReplyHead& head, const Usage& usage);

}  // namespace atelier::serve
