#include "text/training_text.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr size_t kMostTextBytes = size_t{1} << 30;
constexpr size_t kMostSpecialBytes = 256;
constexpr size_t kTextsAtOnce = 64;

}  // namespace

std::vector<std::string> SpecialTexts::InOrder() const {
  std::vector<std::string> all;
  for (const std::string* text : {&bos, &eos, &padding, &unknown}) {
    if (!text->empty()) all.push_back(*text);
  }
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void CheckSpecials(const SpecialTexts& special) {
  std::unordered_set<std::string> seen;
  for (const std::string& text : special.InOrder()) {
    if (text.empty()) throw Error(Code::kInvalidInput, "tokenizer: an empty special token");
    if (text.size() > kMostSpecialBytes) {
      throw Error(Code::kInvalidInput,
                  Cat("tokenizer: the special token ", Quote(text), " has more than ", kMostSpecialBytes, " bytes"));
    }
    const bool shown = std::all_of(text.begin(), text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
    if (!shown || !IsValidUtf8(text)) {
      throw Error(Code::kInvalidInput,
                  Cat("tokenizer: the special token ", Quote(text), " holds control characters or is not UTF-8"));
    }
    if (!seen.insert(text).second) {
      throw Error(Code::kInvalidInput, Cat("tokenizer: two special tokens are ", Quote(text)),
                  "each special token needs a text of its own");
    }
  }
}

void AddSpecials(const SpecialTexts& special, TokenizerSpec* spec) {
  const auto add = [&](const std::string& text, TokenType type) -> TokenId {
    if (text.empty()) return -1;
    spec->tokens.push_back(text);
    spec->types.push_back(static_cast<uint8_t>(type));
    return static_cast<TokenId>(spec->tokens.size()) - 1;
  };
  spec->bos = add(special.bos, TokenType::kControl);
  spec->eos = add(special.eos, TokenType::kControl);
  spec->padding = add(special.padding, TokenType::kControl);
  spec->unknown = add(special.unknown, TokenType::kUnknown);
  for (const std::string& text : special.more) add(text, TokenType::kControl);
}

void WordCounts::Add(std::string_view word, uint64_t count) { Add(word, Hash64(word), count); }

void WordCounts::Add(std::string_view word, uint64_t hash, uint64_t count) {
  if (words_.size() * 2 >= slots_.size()) Grow();
  const auto tag = static_cast<uint32_t>(hash >> 32);
  size_t at = tag & (slots_.size() - 1);
  for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
    Word& known = words_[slots_[at] - 1];
    if (known.tag == tag && known.size == word.size() &&
        std::char_traits<char>::compare(arena_.data() + known.begin, word.data(), word.size()) == 0) {
      known.count += count;
      return;
    }
  }
  if (words_.size() >= 0x7FFFFFFF) {
    throw Error(Code::kResourceExhausted, "tokenizer: the corpus has more than 2^31 different words",
                "train on a part of it");
  }
  slots_[at] = static_cast<uint32_t>(words_.size()) + 1;
  words_.push_back({arena_.size(), static_cast<uint32_t>(word.size()), tag, count});
  arena_.append(word);
}

void WordCounts::Grow() {
  slots_.assign(std::max<size_t>(size_t{1} << 12, slots_.size() * 2), 0);
  for (size_t i = 0; i < words_.size(); ++i) {
    size_t at = words_[i].tag & (slots_.size() - 1);
    while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = static_cast<uint32_t>(i) + 1;
  }
}

void WordCounts::AddAll(const WordCounts& other) {
  for (const Word& word : other.words_) Add(other.Text(word), uint64_t{word.tag} << 32, word.count);
}

WordCounts CountWords(const TextPull& next, const WordCutter& cutter, int threads, const ProgressFn& progress,
                      CorpusSize* size) {
  ThreadPool pool(threads);
  std::vector<WordCounts> counts(static_cast<size_t>(pool.size()));
  std::string batch, text;
  std::vector<size_t> ends;
  bool more = true;
  while (more) {
    batch.clear();
    ends.clear();
    while (batch.size() < kBatchBytes && (more = next(&text))) {
      if (text.size() > kMostTextBytes) {
        throw Error(
            Code::kInvalidInput,
            Cat("tokenizer: text ", size->texts + 1, " of the corpus has more than ", FormatBytes(kMostTextBytes)),
            "cut it into lines or paragraphs");
      }
      ++size->texts;
      size->bytes += text.size();
      if (text.empty()) continue;
      batch += text;
      ends.push_back(batch.size());
    }
    std::atomic<size_t> place{0};
    std::mutex mutex;
    std::exception_ptr failure;
    pool.Run([&](int thread) {
      try {
        for (size_t first; (first = place.fetch_add(kTextsAtOnce)) < ends.size();) {
          for (size_t i = first; i < std::min(first + kTextsAtOnce, ends.size()); ++i) {
            const size_t begin = i == 0 ? 0 : ends[i - 1];
            const std::string_view part = std::string_view(batch).substr(begin, ends[i] - begin);
            if (IsValidUtf8(part)) {
              cutter.Cut(part, &counts[static_cast<size_t>(thread)]);
            } else {
              cutter.Cut(SanitizeUtf8(part), &counts[static_cast<size_t>(thread)]);
            }
          }
        }
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    });
    if (failure) std::rethrow_exception(failure);
    if (progress) progress(size->bytes, 0, "");
  }
  for (size_t i = 1; i < counts.size(); ++i) {
    counts[0].AddAll(counts[i]);
    counts[i] = WordCounts();
  }
  return std::move(counts[0]);
}

}  // namespace atelier::text
