#include "text/vocabulary_subset.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/str.h"
#include "text/token_table.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

// Replays how one token is merged out of its characters.
class Derivation {
 public:
  explicit Derivation(const TokenizerSpec& spec) : spec_(spec), index_(&spec.tokens), by_score_(spec.model == "llama") {
    for (size_t rank = 0; rank < spec.merges.size(); ++rank) ranks_.try_emplace(spec.merges[rank], rank);
  }

  // Calls `found` with every token that is met on the way, and the token itself.
  template <typename Found>
  void Of(TokenId token, const Found& found) {
    found(token);
    const std::string& text = spec_.tokens[static_cast<size_t>(token)];
    symbols_.clear();
    for (size_t at = 0; at < text.size();) {
      const DecodedChar d = DecodeChar(std::string_view(text).substr(at));
      symbols_.push_back(text.substr(at, d.length));
      at += d.length;
    }
    const auto meet = [&](std::string_view symbol) {
      if (const TokenId id = index_.Find(symbol); id >= 0) found(id);
    };
    for (const std::string& symbol : symbols_) meet(symbol);
    for (size_t best; (best = Best()) + 1 < symbols_.size();) {
      symbols_[best] += symbols_[best + 1];
      symbols_.erase(symbols_.begin() + static_cast<ptrdiff_t>(best) + 1);
      meet(symbols_[best]);
    }
  }

 private:
  // Where the best pair begins; the last symbol's place where none merges.
  size_t Best() const {
    size_t best = symbols_.size();
    double least = 0;
    for (size_t i = 0; i + 1 < symbols_.size(); ++i) {
      double order = 0;
      if (by_score_) {
        const TokenId id = index_.Find(symbols_[i] + symbols_[i + 1]);
        if (id < 0) continue;
        order = spec_.scores.empty() ? 0 : -spec_.scores[static_cast<size_t>(id)];
      } else {
        const auto rank = ranks_.find(Cat(symbols_[i], " ", symbols_[i + 1]));
        if (rank == ranks_.end()) continue;
        order = static_cast<double>(rank->second);
      }
      if (best == symbols_.size() || order < least) best = i, least = order;
    }
    return best;
  }

  const TokenizerSpec& spec_;
  const TextIndex index_;
  const bool by_score_;
  std::unordered_map<std::string_view, size_t> ranks_;
  std::vector<std::string> symbols_;
};

// What every text may come down to: the bytes' stand-ins, and of SentencePiece what a keyboard has.
bool IsAlphabet(const std::string& text, bool bytes) {
  if (text.empty() || DecodeChar(text).length != text.size()) return false;
  return bytes || text.size() == 1 || text == "\xE2\x96\x81";
}

}  // namespace

std::vector<TokenId> TokensThatStay(const TokenizerSpec& spec, std::span<const TokenId> wanted, int64_t least) {
  const bool bytes = spec.model == "gpt2";
  if (!bytes && spec.model != "llama") {
    throw Error(Code::kUnsupported, Cat("a vocabulary of the kind ", Quote(spec.model), " cannot be made smaller"),
                "byte-level BPE (gpt2) and SentencePiece's BPE (llama) can");
  }
  // As the tokenizer completes it: known markers count as control tokens whatever their types say.
  const TokenTable table(spec);
  const auto size = static_cast<size_t>(table.size());
  std::vector<bool> stays(size, false);
  int64_t count = 0;
  const auto keep = [&](TokenId id) {
    if (!table.Has(id) || stays[static_cast<size_t>(id)]) return;
    stays[static_cast<size_t>(id)] = true;
    ++count;
  };
  for (TokenId id = 0; id < table.size(); ++id) {
    const TokenType type = table.Type(id);
    const bool piece = type == TokenType::kNormal || type == TokenType::kUnused;
    if (!piece || table.EndsGeneration(id) || IsAlphabet(table.Text(id), bytes)) keep(id);
  }
  for (const TokenId id : {spec.bos, spec.eos, spec.unknown, spec.padding}) keep(id);
  Derivation derivation(table.spec());
  for (const TokenId id : wanted) {
    if (!table.Has(id)) throw Error(Code::kInvalidInput, Cat("there is no token ", id));
    if (!stays[static_cast<size_t>(id)]) derivation.Of(id, keep);
  }
  for (TokenId id = 0; id < table.size() && count < least; ++id) {
    if (!stays[static_cast<size_t>(id)] && table.Type(id) == TokenType::kNormal) derivation.Of(id, keep);
  }
  std::vector<TokenId> out;
  for (TokenId id = 0; id < table.size(); ++id) {
    if (stays[static_cast<size_t>(id)]) out.push_back(id);
  }
  return out;
}

TokenizerSpec Subset(const TokenizerSpec& spec, std::span<const TokenId> stay) {
  TokenizerSpec out = spec;
  out.tokens.clear(), out.scores.clear(), out.types.clear(), out.merges.clear();
  std::unordered_map<TokenId, TokenId> moved;
  for (const TokenId id : stay) {
    const auto at = static_cast<size_t>(id);
    moved[id] = static_cast<TokenId>(out.tokens.size());
    out.tokens.push_back(spec.tokens.at(at));
    if (!spec.scores.empty()) out.scores.push_back(spec.scores[at]);
    if (!spec.types.empty()) out.types.push_back(spec.types[at]);
  }
  const auto move = [&](TokenId id) {
    const auto it = moved.find(id);
    return it == moved.end() ? -1 : it->second;
  };
  out.bos = move(spec.bos), out.eos = move(spec.eos), out.unknown = move(spec.unknown),
  out.padding = move(spec.padding);
  out.end_of_generation.clear();
  for (const TokenId id : spec.end_of_generation) {
    if (move(id) >= 0) out.end_of_generation.push_back(move(id));
  }
  const std::unordered_set<std::string_view> texts(out.tokens.begin(), out.tokens.end());
  for (const std::string& merge : spec.merges) {
    const size_t space = merge.find(' ', 1);
    if (space == std::string::npos) continue;
    const std::string left = merge.substr(0, space), right = merge.substr(space + 1);
    if (texts.contains(left) && texts.contains(right) && texts.contains(left + right)) out.merges.push_back(merge);
  }
  return out;
}

}  // namespace atelier::text
