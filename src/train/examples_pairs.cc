#include "train/examples_pairs.h"

#include <algorithm>

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::train {
namespace {

// Texts end to end, each with the marks that its side has.
struct Side {
  std::vector<int32_t> tokens;
  std::vector<int64_t> begins{0};

  int64_t Length(int64_t row) const { return begins[static_cast<size_t>(row) + 1] - begins[static_cast<size_t>(row)]; }
  std::span<const int32_t> Row(int64_t row) const {
    return std::span(tokens).subspan(static_cast<size_t>(begins[static_cast<size_t>(row)]),
                                     static_cast<size_t>(Length(row)));
  }
  void End() { begins.push_back(static_cast<int64_t>(tokens.size())); }
};

class Pairs : public Examples {
 public:
  Pairs(Side source, Side target, std::vector<int64_t> records, int64_t source_padding, int64_t target_padding)
      : source_(std::move(source)),
        target_(std::move(target)),
        records_(std::move(records)),
        source_padding_(source_padding),
        target_padding_(target_padding) {}

  int64_t size() const override { return static_cast<int64_t>(records_.size()); }
  int64_t Length(int64_t row) const override { return source_.Length(row) + target_.Length(row) - 1; }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    const auto n = static_cast<int64_t>(rows.size());
    int64_t source_time = 1, time = 1;
    for (const int64_t row : rows) {
      source_time = std::max(source_time, source_.Length(row));
      time = std::max(time, target_.Length(row) - 1);
    }
    model::Batch batch;
    batch.inputs = torch::full({n, time}, target_padding_, torch::kInt64);
    batch.targets = torch::full({n, time}, model::kIgnored, torch::kInt64);
    batch.source = torch::full({n, source_time}, source_padding_, torch::kInt64);
    batch.lengths = torch::empty({n}, torch::kInt64);
    batch.source_lengths = torch::empty({n}, torch::kInt64);
    for (int64_t i = 0; i < n; ++i) {
      const int64_t row = rows[static_cast<size_t>(i)];
      const std::span<const int32_t> source = source_.Row(row), target = target_.Row(row);
      std::copy(source.begin(), source.end(), batch.source.data_ptr<int64_t>() + i * source_time);
      std::copy(target.begin(), target.end() - 1, batch.inputs.data_ptr<int64_t>() + i * time);
      std::copy(target.begin() + 1, target.end(), batch.targets.data_ptr<int64_t>() + i * time);
      batch.lengths.data_ptr<int64_t>()[i] = target_.Length(row) - 1;
      batch.source_lengths.data_ptr<int64_t>()[i] = source_.Length(row);
    }
    return batch;
  }
  std::string Describe(int64_t row) const override { return Cat("record ", records_[static_cast<size_t>(row)] + 1); }

 private:
  Side source_, target_;  // a target with both marks
  std::vector<int64_t> records_;
  int64_t source_padding_, target_padding_;
};

}  // namespace

PairMarks FindPairMarks(const text::Tokenizer& target) {
  const SpecialIds ids = FindSpecialIds(target);
  if (ids.end < 0) {
    throw Error(Code::kInvalidInput, "the tokenizer has no mark that ends a text",
                "pairs want one: \"</s>\" or \"<|end|>\"");
  }
  return {ids.begin >= 0 ? ids.begin : ids.end, ids.end, ids.padding};
}

std::vector<int64_t> SourceTokens(const text::Tokenizer& tokenizer, std::string_view text, int64_t longest,
                                  bool* truncated) {
  const SpecialIds ids = FindSpecialIds(tokenizer);
  const std::vector<text::TokenId> tokens = tokenizer.Encode(text);
  const int64_t room = longest - (ids.end >= 0);
  *truncated = static_cast<int64_t>(tokens.size()) > room;
  std::vector<int64_t> out(tokens.begin(), *truncated ? tokens.begin() + room : tokens.end());
  if (ids.end >= 0) out.push_back(ids.end);
  return out;
}

std::unique_ptr<Examples> PairExamples(const Records& records, const DataSettings& data, const text::Tokenizer& source,
                                       const text::Tokenizer& target, ExamplesReport* report) {
  const PairMarks marks = FindPairMarks(target);
  Side sources, targets;
  std::vector<int64_t> kept;
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const std::string where = records.Describe(index);
    const std::string source_text = TextField(fields, data.source, where);
    const std::string target_text = TextField(fields, data.target, where);
    if (Trim(source_text).empty() || Trim(target_text).empty()) {
      ++report->empty;
      return;
    }
    bool truncated = false;
    const std::vector<int64_t> source_tokens = SourceTokens(source, source_text, data.source_length, &truncated);
    std::vector<text::TokenId> target_tokens = target.Encode(target_text);
    const auto room = static_cast<size_t>(data.sequence_length - 1);
    truncated = truncated || target_tokens.size() > room;
    if (truncated && data.long_records == "drop") {
      ++report->dropped;
      return;
    }
    report->truncated += truncated;
    target_tokens.resize(std::min(room, target_tokens.size()));
    sources.tokens.insert(sources.tokens.end(), source_tokens.begin(), source_tokens.end());
    sources.End();
    targets.tokens.push_back(static_cast<int32_t>(marks.begin));
    targets.tokens.insert(targets.tokens.end(), target_tokens.begin(), target_tokens.end());
    targets.tokens.push_back(static_cast<int32_t>(marks.end));
    targets.End();
    kept.push_back(index);
    report->tokens += static_cast<int64_t>(source_tokens.size() + target_tokens.size());
    report->characters += static_cast<int64_t>(text::CountChars(source_text) + text::CountChars(target_text));
  });
  if (kept.empty()) throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has a pair of texts to learn"));
  return std::make_unique<Pairs>(std::move(sources), std::move(targets), std::move(kept),
                                 FindSpecialIds(source).padding, marks.padding);
}

}  // namespace atelier::train
