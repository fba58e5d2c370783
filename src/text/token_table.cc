#include "text/token_table.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

// Texts that end a reply in one family or another.
constexpr std::string_view kEndTexts[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
    "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>",
    "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[",
    // fill-in-the-middle: padding, repository and file separators end a completion as well
    "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>",
    "<reponame>", "<|file_sep|>"};

// Texts that are control tokens without ending a reply.
constexpr std::string_view kMarkerTexts[] = {
    "<|fim_prefix|>",  "<fim-prefix>",  "<fim_prefix>",    "<｜fim▁begin｜>", "<PRE>",           "▁<PRE>",
    "<|code_prefix|>", "<|prefix|>",    "<|fim_suffix|>",  "<fim-suffix>",    "<fim_suffix>",    "<｜fim▁hole｜>",
    "<SUF>",           "▁<SUF>",        "<|code_suffix|>", "<|suffix|>",      "<|fim_middle|>",  "<fim-middle>",
    "<fim_middle>",    "<｜fim▁end｜>", "<MID>",           "▁<MID>",          "<|code_middle|>", "<|middle|>"};

// Harmony's structure tokens are part of the text that a reader of the output wants to see.
constexpr std::string_view kShownTexts[] = {"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"};

}  // namespace

TextIndex::TextIndex(const std::vector<std::string>* texts) : texts_(texts) {
  size_t size = 16;
  while (size < texts->size() * 2) size *= 2;
  slots_.resize(size);
  for (size_t i = 0; i < texts->size(); ++i) {
    const std::string& text = (*texts)[i];
    if (text.empty()) continue;
    const uint64_t hash = Hash64(text);
    const auto tag = static_cast<uint32_t>(hash >> 32);
    size_t at = hash & (size - 1);
    while (slots_[at].index >= 0 && (slots_[at].tag != tag || (*texts)[slots_[at].index] != text)) {
      at = (at + 1) & (size - 1);
    }
    if (slots_[at].index < 0) slots_[at] = {tag, static_cast<int32_t>(i)};
  }
}

int32_t TextIndex::Find(std::string_view text) const {
  if (text.empty()) return -1;
  const uint64_t hash = Hash64(text);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  for (size_t at = hash & (slots_.size() - 1); slots_[at].index >= 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].tag == tag && (*texts_)[slots_[at].index] == text) return slots_[at].index;
  }
  return -1;
}

TokenTable::TokenTable(TokenizerSpec spec) : spec_(std::move(spec)), index_(&spec_.tokens) {
  const size_t count = spec_.tokens.size();
  if (count == 0) throw Error(Code::kCorrupt, "tokenizer: the vocabulary is empty");
  if (count > 0x7FFFFFFF) throw Error(Code::kCorrupt, "tokenizer: the vocabulary has more tokens than ids");
  const auto check = [&](const char* what, size_t size) {
    if (size == 0 || size == count) return;
    throw Error(Code::kCorrupt, Cat("tokenizer: ", size, " ", what, " for ", count, " tokens"),
                "the model file is damaged or was converted wrongly; get it again");
  };
  check("scores", spec_.scores.size());
  check("token types", spec_.types.size());
  spec_.types.resize(count, static_cast<uint8_t>(TokenType::kNormal));
  for (uint8_t& type : spec_.types) {
    if (type < 1 || type > 6) type = static_cast<uint8_t>(TokenType::kNormal);
  }
  for (TokenId* id : {&spec_.bos, &spec_.eos, &spec_.unknown, &spec_.padding}) {
    if (!Has(*id)) *id = -1;
  }
  for (const std::string& token : spec_.tokens) longest_ = std::max(longest_, token.size());
  ApplyKnownTexts();

  std::vector<std::pair<std::string_view, int32_t>> user, all;
  for (TokenId id = 0; id < size(); ++id) {
    const TokenType type = Type(id);
    if (Text(id).empty() || !IsValidUtf8(Text(id))) continue;  // could cut a text within a character
    if (type == TokenType::kUserDefined) user.emplace_back(Text(id), id);
    if (type == TokenType::kUserDefined || type == TokenType::kControl || type == TokenType::kUnknown) {
      all.emplace_back(Text(id), id);
    }
  }
  user_specials_ = SpecialTokens(user);
  all_specials_ = SpecialTokens(all);
}

void TokenTable::ApplyKnownTexts() {
  const auto set = [&](TokenId id, TokenType type) { spec_.types[id] = static_cast<uint8_t>(type); };
  for (std::string_view text : kEndTexts) {
    const TokenId id = Find(text);
    if (id < 0) continue;
    set(id, TokenType::kControl);
    ends_.push_back(id);
  }
  for (std::string_view text : kMarkerTexts) {
    if (const TokenId id = Find(text); id >= 0) set(id, TokenType::kControl);
  }
  for (std::string_view text : kShownTexts) {
    if (const TokenId id = Find(text); id >= 0) set(id, TokenType::kUserDefined);
  }
  for (TokenId id : spec_.end_of_generation) {
    if (Has(id)) ends_.push_back(id);
  }
  if (spec_.eos >= 0) ends_.push_back(spec_.eos);

  const auto drop = [&](std::string_view text, TokenType type) {
    const TokenId id = Find(text);
    if (id < 0 || id == spec_.eos) return;
    std::erase(ends_, id);
    set(id, type);
  };
  // In Harmony and Solar "<|end|>" ends a message, not the reply; in Gemma 4 "</s>" is markup.
  const bool call = Find("<|call|>") >= 0 || Find("<|calls|>") >= 0;
  if (call && (Find("<|return|>") >= 0 || Find("<|flush|>") >= 0)) drop("<|end|>", TokenType::kUserDefined);
  if (Find("<|tool_response>") >= 0) drop("</s>", TokenType::kNormal);
  std::sort(ends_.begin(), ends_.end());
  ends_.erase(std::unique(ends_.begin(), ends_.end()), ends_.end());
}

bool TokenTable::EndsGeneration(TokenId id) const { return std::binary_search(ends_.begin(), ends_.end(), id); }

}  // namespace atelier::text
