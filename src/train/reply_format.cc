#include "train/reply_format.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "runtime/vocabulary.h"
#include "train/records.h"

namespace atelier::train {
namespace {

std::vector<std::pair<std::string, std::string>> SpecialTexts(const text::Tokenizer& tokenizer) {
  std::vector<std::pair<std::string, std::string>> out;
  if (tokenizer.bos() >= 0) out.emplace_back("bos_token", tokenizer.Piece(tokenizer.bos(), true));
  if (tokenizer.eos() >= 0) out.emplace_back("eos_token", tokenizer.Piece(tokenizer.eos(), true));
  return out;
}

// Role and content of a message.
std::pair<std::string, std::string> RoleAndContent(const Json& message) {
  if (message.is_object()) {
    const auto role = message.find("role"), content = message.find("content");
    if (role != message.end() && role->is_string() && content != message.end() && content->is_string()) {
      return {role->get<std::string>(), content->get<std::string>()};
    }
  }
  throw Error(Code::kInvalidInput, "a message is {\"role\", \"content\"}, both texts");
}

}  // namespace

ReplyFormat::ReplyFormat(const std::string& path, const text::Tokenizer& tokenizer, const DataSettings& data)
    : tokenizer_(tokenizer), prompt_(data.prompt), response_(data.response), end_(tokenizer.eos()) {
  const auto file = artefact::GgufFile::Open(path);
  const bool has = !file->StringOr("tokenizer.chat_template", "").empty();
  if (data.format == "chat" || (data.format == "auto" && has)) chat_.emplace(*file, SpecialTexts(tokenizer));
  spaces_texts_ = runtime::SpacesTexts(*file);
  if (end_ < 0) throw Error(Code::kUnsupported, Cat(path, ": its tokenizer has no token that ends a text"));
}

ReplyTokens ReplyFormat::Of(const Json& record, const std::string& where) const {
  try {
    const auto messages = record.find("messages");
    if (messages == record.end()) {
      const auto text = [&](const std::string& field) {
        const auto found = record.find(field);
        return found != record.end() && found->is_null() ? "" : TextField(record, field, where);
      };
      return OfTexts(text(prompt_), text(response_));
    }
    if (!chat_) throw Error(Code::kInvalidInput, "messages want a model with a chat template");
    if (!messages->is_array() || messages->empty())
      throw Error(Code::kInvalidInput, "\"messages\" is no list of messages");
    return OfMessages(*messages);
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(where)) throw;
    throw error.Within(where);
  }
}

ReplyTokens ReplyFormat::Of(const Json& record, const std::string& field, const std::string& where) const {
  try {
    const auto value = [&](const std::string& name) -> Json {
      const auto found = record.find(name);
      if (found != record.end() && found->is_array()) return *found;
      return found != record.end() && found->is_null() ? "" : TextField(record, name, where);
    };
    Json prompt = value(prompt_), reply = value(field);
    if (reply.is_array()) {
      if (reply.size() != 1 || RoleAndContent(reply[0]).first != "assistant") {
        throw Error(Code::kInvalidInput,
                    Cat(Quote(field), " is no text and no list of one message of the assistant's"));
      }
      reply = RoleAndContent(reply[0]).second;
    }
    if (prompt.is_string()) return OfTexts(prompt.get<std::string>(), reply.get<std::string>());
    if (!chat_) throw Error(Code::kInvalidInput, "messages want a model with a chat template");
    if (prompt.empty()) throw Error(Code::kInvalidInput, Cat(Quote(prompt_), " is no list of messages"));
    prompt.push_back({{"role", "assistant"}, {"content", reply}});
    return OfMessages(prompt, /*last_alone=*/true);
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(where)) throw;
    throw error.Within(where);
  }
}

std::vector<text::TokenId> ReplyFormat::Given(const Json& record, const std::string& where) const {
  constexpr char kReply[] = "the model's own";  // no field of a record's
  Json asked = {{kReply, "?"}};
  if (const auto messages = record.find("messages"); messages != record.end() && messages->is_array()) {
    Json turns = *messages;
    const auto answered = [&] {
      try {
        return !turns.empty() && RoleAndContent(turns.back()).first == "assistant";
      } catch (const Error& error) {
        throw error.Within(where);
      }
    };
    while (answered()) turns.erase(turns.size() - 1);
    if (turns.empty()) return {};
    asked[prompt_] = std::move(turns);
  } else {
    const auto prompt = record.find(prompt_);
    if (prompt == record.end()) TextField(record, prompt_, where);  // says which fields there are
    asked[prompt_] = *prompt;
  }
  ReplyTokens row = Of(asked, kReply, where);
  if (row.empty) return {};
  const auto first = std::find(row.learned.begin(), row.learned.end(), true) - row.learned.begin();
  row.tokens.resize(static_cast<size_t>(first));
  return row.tokens;
}

std::vector<text::TokenId> ReplyFormat::Continuation(const std::string& before, const std::string& text) const {
  const text::EncodeOptions options{.parse_special = chat()};
  if (spaces_texts_ && !before.empty()) {  // alone, the text would get a space of its own
    if (auto tokens = tokenizer_.EncodeBehind(before, text, options)) return *tokens;
  }
  return tokenizer_.Encode(text, options);
}

void ReplyFormat::Give(const std::string& before, const std::string& text, ReplyTokens* out) const {
  for (const text::TokenId token : Continuation(before, text)) {
    out->tokens.push_back(token);
    out->learned.push_back(false);
  }
}

// Up to the token that ends the reply; what the template writes behind it is `rest`.
void ReplyFormat::Learn(const std::string& before, const std::string& text, ReplyTokens* out, std::string* rest) const {
  rest->clear();
  bool ended = false;
  for (const text::TokenId token : Continuation(before, text)) {
    if (ended) {
      *rest += tokenizer_.Piece(token, true);
      continue;
    }
    out->tokens.push_back(token);
    out->learned.push_back(true);
    ended = tokenizer_.EndsGeneration(token);
  }
  if (ended) return;
  out->tokens.push_back(end_);
  out->learned.push_back(true);
}

ReplyTokens ReplyFormat::OfTexts(const std::string& prompt, const std::string& response) const {
  ReplyTokens out;
  out.empty = Trim(prompt).empty() || Trim(response).empty() || Trim(prompt) == Trim(response);
  if (out.empty) return out;
  if (chat_)
    return OfMessages({{{"role", "user"}, {"content", prompt}}, {{"role", "assistant"}, {"content", response}}});
  if (tokenizer_.adds_bos()) out.tokens.push_back(tokenizer_.bos()), out.learned.push_back(false);
  Give("", prompt, &out);
  std::string rest;
  Learn(prompt, response, &out, &rest);
  return out;
}

ReplyTokens ReplyFormat::OfMessages(const Json& messages, bool last_alone) const {
  ReplyTokens out;
  std::string said;  // of the conversation, already tokens
  Json before = Json::array();
  for (const Json& message : messages) {
    const auto [role, content] = RoleAndContent(message);
    if (role != "assistant") {
      before.push_back(message);
      continue;
    }
    if (before.empty()) throw Error(Code::kInvalidInput, "a conversation begins with the assistant");
    const std::string asked = chat_->Render(before);
    before.push_back(message);
    const std::string answered = chat_->Render(before, nullptr, /*for_reply=*/false);
    if (!asked.starts_with(said) || !answered.starts_with(asked)) {
      throw Error(Code::kUnsupported, "the model's chat template writes earlier turns otherwise than it asks for them",
                  "one reply a record can be learned");
    }
    if (Trim(content).empty()) {
      out.empty = true;
      return out;
    }
    if (said.empty() && tokenizer_.adds_bos()) {
      const std::vector<text::TokenId> first = tokenizer_.Encode(asked, {.parse_special = true});
      if (first.empty() || first[0] != tokenizer_.bos()) {
        out.tokens.push_back(tokenizer_.bos());
        out.learned.push_back(false);
      }
    }
    Give(said, asked.substr(said.size()), &out);
    std::string rest;
    if (last_alone) std::fill(out.learned.begin(), out.learned.end(), false);
    Learn(asked, answered.substr(asked.size()), &out, &rest);
    said = answered.substr(0, answered.size() - rest.size());
  }
  out.empty = out.tokens.empty();
  return out;
}

}  // namespace atelier::train
