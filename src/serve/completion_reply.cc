#include "serve/completion_reply.h"

#include "base/ids.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::serve {
namespace {

Json Head(const ReplyHead& head, bool chunk) {
  return {{"id", head.id},
          {"object", head.chat ? (chunk ? "chat.completion.chunk" : "chat.completion") : "text_completion"},
          {"created", head.created},
          {"model", head.model},
          {"system_fingerprint", head.fingerprint}};
}

Json UsageJson(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.completion},
          {"total_tokens", usage.prompt + usage.completion},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}}};
}

Json Bytes(std::string_view text) {
  Json bytes = Json::array();
  for (const char c : text) bytes.push_back(static_cast<int>(static_cast<unsigned char>(c)));
  return bytes;
}

Json Token(const artefact::Generator& model, int32_t token, float logprob) {
  const std::string piece = model.Piece(token);
  return {{"token", text::SanitizeUtf8(piece)}, {"logprob", logprob}, {"bytes", Bytes(piece)}};
}

Json ChatLogprobs(std::span<const artefact::TokenLogprob> logprobs, const artefact::Generator& model) {
  Json content = Json::array();
  for (const artefact::TokenLogprob& one : logprobs) {
    Json entry = Token(model, one.token, one.logprob);
    entry["top_logprobs"] = Json::array();
    for (const auto& [token, logprob] : one.top) entry["top_logprobs"].push_back(Token(model, token, logprob));
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json TextLogprobs(std::span<const artefact::TokenLogprob> all, const artefact::Generator& model, size_t* offset) {
  Json tokens = Json::array(), logprobs = Json::array(), top = Json::array(), offsets = Json::array();
  for (const artefact::TokenLogprob& one : all) {
    const std::string piece = model.Piece(one.token);
    tokens.push_back(text::SanitizeUtf8(piece));
    logprobs.push_back(one.logprob);
    Json alternatives = Json::object();
    for (const auto& [token, logprob] : one.top) alternatives[text::SanitizeUtf8(model.Piece(token))] = logprob;
    top.push_back(std::move(alternatives));
    offsets.push_back(*offset);
    *offset += piece.size();
  }
  return {{"tokens", tokens}, {"token_logprobs", logprobs}, {"top_logprobs", top}, {"text_offset", offsets}};
}

Json LogprobsJson(const ReplyHead& head, std::span<const artefact::TokenLogprob> logprobs,
                  const artefact::Generator& model, size_t* offset) {
  return head.chat ? ChatLogprobs(logprobs, model) : TextLogprobs(logprobs, model, offset);
}

std::string_view FinishReason(artefact::Finish finish, bool calls) {
  if (finish == artefact::Finish::kLength) return "length";
  return calls ? "tool_calls" : "stop";
}

bool MayCall(const CompletionRequest& request) {
  return request.generate.constraint.kind == artefact::ConstraintSpec::Kind::kCalls;
}

std::string NewCallId() { return Cat("call_", RandomHex(12)); }

// The answer's text, taken apart into text and calls.
Json Message(const CompletionRequest& request, const std::string& text) {
  Json message = {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
  if (!MayCall(request)) return message;
  std::string content;
  Json calls = Json::array();
  const auto add = [&](const std::vector<runtime::CallReader::Event>& events) {
    using Kind = runtime::CallReader::Event::Kind;
    for (const runtime::CallReader::Event& event : events) {
      if (event.kind == Kind::kText) content += event.text;
      if (event.kind == Kind::kName) {
        calls.push_back(
            {{"id", NewCallId()}, {"type", "function"}, {"function", {{"name", event.text}, {"arguments", ""}}}});
      }
      if (event.kind == Kind::kArguments) {
        calls.back()["function"]["arguments"].get_ref<std::string&>() += event.text;
      }
    }
  };
  runtime::CallReader reader(request.generate.constraint.calls);
  add(reader.Append(text));
  add(reader.Finish());
  message["content"] = content.empty() && !calls.empty() ? Json() : Json(content);
  if (!calls.empty()) message["tool_calls"] = std::move(calls);
  return message;
}

}  // namespace

Usage UsageOf(const std::vector<artefact::GenerateResult>& results) {
  Usage usage;
  for (const artefact::GenerateResult& result : results) {
    usage.prompt += result.prompt_tokens;
    usage.cached += result.cached_tokens;
    for (const artefact::Generated& sample : result.samples)
      usage.completion += static_cast<int64_t>(sample.tokens.size());  // the end token is no part of the text
  }
  return usage;
}

Json WholeReply(const ReplyHead& head, const CompletionRequest& request,
                const std::vector<artefact::GenerateResult>& results, const artefact::Generator& model) {
  Json reply = Head(head, false);
  Json choices = Json::array();
  const bool logprobs = request.generate.logprobs >= 0;
  for (size_t i = 0; i < results.size(); ++i) {
    for (const artefact::Generated& sample : results[i].samples) {
      Json choice = {{"index", choices.size()}};
      bool calls = false;
      if (head.chat) {
        choice["message"] = Message(request, sample.text);
        calls = choice["message"].contains("tool_calls");
      } else {
        choice["text"] = request.echo ? Cat(request.prompts[i], sample.text) : sample.text;
      }
      size_t offset = 0;
      choice["logprobs"] = logprobs ? LogprobsJson(head, sample.logprobs, model, &offset) : Json();
      choice["finish_reason"] = FinishReason(sample.finish, calls);
      choices.push_back(std::move(choice));
    }
  }
  reply["choices"] = std::move(choices);
  reply["usage"] = UsageJson(UsageOf(results));
  return reply;
}

ChoiceStream::ChoiceStream(const ReplyHead& head, const CompletionRequest& request, const artefact::Generator& model,
                           int index)
    : head_(head), request_(request), model_(model), index_(index) {
  if (MayCall(request)) calls_.emplace(request.generate.constraint.calls);
}

Json ChoiceStream::Chunk(Json delta) {
  Json chunk = Head(head_, true);
  Json choice = {{"index", index_}};
  head_.chat ? choice["delta"] = std::move(delta) : choice["text"] = std::move(delta);
  choice["logprobs"] = untold_.empty() ? Json() : LogprobsJson(head_, untold_, model_, &offset_);
  untold_.clear();
  choice["finish_reason"] = nullptr;
  chunk["choices"] = Json::array({std::move(choice)});
  return chunk;
}

std::vector<Json> ChoiceStream::First() {
  if (head_.chat) return {Chunk({{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}})};
  if (request_.echo) return {Chunk(request_.prompts[static_cast<size_t>(index_ / request_.generate.samples)])};
  return {};
}

std::vector<Json> ChoiceStream::ChunksOf(const std::vector<runtime::CallReader::Event>& events) {
  using Kind = runtime::CallReader::Event::Kind;
  std::vector<Json> chunks;
  for (const runtime::CallReader::Event& event : events) {
    if (event.kind == Kind::kText) {
      chunks.push_back(Chunk({{"content", event.text}}));
      continue;
    }
    Json call = {{"index", event.kind == Kind::kName ? call_count_++ : call_count_ - 1}};
    if (event.kind == Kind::kName) {
      call["id"] = NewCallId();
      call["type"] = "function";
      call["function"] = {{"name", event.text}, {"arguments", ""}};
    } else {
      call["function"] = {{"arguments", event.text}};
    }
    chunks.push_back(Chunk({{"tool_calls", Json::array({std::move(call)})}}));
  }
  return chunks;
}

std::vector<Json> ChoiceStream::Chunks(const artefact::StreamPiece& piece) {
  untold_.insert(untold_.end(), piece.logprobs.begin(), piece.logprobs.end());
  if (calls_) return ChunksOf(calls_->Append(piece.text));
  if (piece.text.empty()) return {};
  return {Chunk(head_.chat ? Json{{"content", piece.text}} : Json(piece.text))};
}

std::vector<Json> ChoiceStream::Last(artefact::Finish finish) {
  std::vector<Json> chunks;
  if (calls_) chunks = ChunksOf(calls_->Finish());
  chunks.push_back(Chunk(head_.chat ? Json::object() : Json("")));
  chunks.back()["choices"][0]["finish_reason"] = FinishReason(finish, call_count_ > 0);
  return chunks;
}

Json UsageChunk(const ReplyHead& head, const Usage& usage) {
  Json chunk = Head(head, true);
  chunk["choices"] = Json::array();
  chunk["usage"] = UsageJson(usage);
  return chunk;
}

}  // namespace atelier::serve
