// How a record of tuning becomes tokens: what is given, and what is to be learned.
//
// A record is a conversation, {"messages": [{"role", "content"}, ...]}, or a prompt and its reply. In the form `chat`
// it is what the model's own template makes of it, cut where a reply begins as a server would cut it, so that what is
// learned is what is asked for later; in the form `plain` the reply follows the prompt as it is. A reply ends with the
// token that ends generation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "artefact/gguf.h"
#include "base/json.h"
#include "runtime/chat.h"
#include "text/tokenizer.h"
#include "train/settings.h"

namespace atelier::train {

struct ReplyTokens {
  std::vector<text::TokenId> tokens;
  std::vector<bool> learned;  // of each token, whether the model should have said it
  bool empty = false;         // a prompt or reply of nothing, or a reply that repeats its prompt
};

class ReplyFormat {
 public:
  // `path`: the model's GGUF file. Throws kUnsupported where `chat` is asked of a model without a template, and for a
  // tokenizer that has no token to end a reply with.
  ReplyFormat(const std::string& path, const text::Tokenizer& tokenizer, const DataSettings& data);

  // Throws kInvalidInput, beginning with `where`, for a record without the fields, with roles in no order, or that the
  // template refuses.
  ReplyTokens Of(const Json& record, const std::string& where) const;
  // The prompt, a text or a conversation, and the reply to it that stands in `field`, a text or a list of one message.
  // Of earlier turns nothing is learned.
  ReplyTokens Of(const Json& record, const std::string& field, const std::string& where) const;
  // The tokens of what is to be answered: of the prompt, a text or a conversation, or of "messages" up to the last that
  // is not the assistant's. Empty where there is nothing.
  std::vector<text::TokenId> Given(const Json& record, const std::string& where) const;
  bool chat() const { return chat_.has_value(); }

 private:
  ReplyTokens OfMessages(const Json& messages, bool last_alone = false) const;
  ReplyTokens OfTexts(const std::string& prompt, const std::string& response) const;
  // Tokens of a text that goes on after `before`.
  std::vector<text::TokenId> Continuation(const std::string& before, const std::string& text) const;
  void Give(const std::string& before, const std::string& text, ReplyTokens* out) const;
  void Learn(const std::string& before, const std::string& text, ReplyTokens* out, std::string* rest) const;

  const text::Tokenizer& tokenizer_;
  std::string prompt_, response_;  // fields
  std::optional<runtime::ChatFormat> chat_;
  text::TokenId end_ = -1;
  bool spaces_texts_ = false;  // the tokenizer puts a space before every text
};

}  // namespace atelier::train
