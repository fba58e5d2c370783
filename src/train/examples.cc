#include "train/examples.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/str.h"
#include "data/scan.h"
#include "text/unicode.h"

namespace atelier::train {
namespace {

// The first of `names` that the vocabulary has, or -1.
int64_t FindFirst(const text::Tokenizer& tokenizer, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const text::TokenId id = tokenizer.Find(name); id >= 0) return id;
  }
  return -1;
}

torch::Tensor Filled(int64_t rows, int64_t time, int64_t value) {
  return torch::full({rows, time}, value, torch::kInt64);
}

// Token streams of all records, and where each record begins.
struct Streams {
  std::vector<int32_t> tokens;
  std::vector<int64_t> begins, records;  // begins has one entry more
};

// Rows of a fixed length, cut from one stream: row i is tokens [i n, i n + n] with its targets one further.
class PackedTokens : public Examples {
 public:
  PackedTokens(Streams streams, int64_t length) : s_(std::move(streams)), length_(length) {}
  int64_t size() const override { return (static_cast<int64_t>(s_.tokens.size()) - 1) / length_; }
  int64_t Length(int64_t) const override { return 0; }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    const auto n = static_cast<int64_t>(rows.size());
    model::Batch batch;
    batch.inputs = torch::empty({n, length_}, torch::kInt64);
    batch.targets = torch::empty({n, length_}, torch::kInt64);
    for (int64_t i = 0; i < n; ++i) {
      const int32_t* from = s_.tokens.data() + rows[static_cast<size_t>(i)] * length_;
      std::copy(from, from + length_, batch.inputs.data_ptr<int64_t>() + i * length_);
      std::copy(from + 1, from + 1 + length_, batch.targets.data_ptr<int64_t>() + i * length_);
    }
    return batch;
  }
  std::string Describe(int64_t row) const override {
    const auto it = std::upper_bound(s_.begins.begin(), s_.begins.end(), row * length_);
    return Cat("record ", s_.records[static_cast<size_t>(it - s_.begins.begin() - 1)] + 1);
  }

 private:
  Streams s_;
  int64_t length_;
};

// One record a row, padded to the longest of its batch.
class TokenRecords : public Examples {
 public:
  TokenRecords(Streams streams, int64_t padding) : s_(std::move(streams)), padding_(padding) {}
  int64_t size() const override { return static_cast<int64_t>(s_.records.size()); }
  int64_t Length(int64_t row) const override {
    return s_.begins[static_cast<size_t>(row) + 1] - s_.begins[static_cast<size_t>(row)] - 1;
  }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    const auto n = static_cast<int64_t>(rows.size());
    int64_t longest = 1;
    for (const int64_t row : rows) longest = std::max(longest, Length(row));
    model::Batch batch{
        Filled(n, longest, padding_), torch::empty({n}, torch::kInt64), Filled(n, longest, model::kIgnored), {}, {}};
    for (int64_t i = 0; i < n; ++i) {
      const int64_t row = rows[static_cast<size_t>(i)];
      const int32_t* from = s_.tokens.data() + s_.begins[static_cast<size_t>(row)];
      std::copy(from, from + Length(row), batch.inputs.data_ptr<int64_t>() + i * longest);
      std::copy(from + 1, from + 1 + Length(row), batch.targets.data_ptr<int64_t>() + i * longest);
      batch.lengths.data_ptr<int64_t>()[i] = Length(row);
    }
    return batch;
  }
  std::string Describe(int64_t row) const override { return Cat("record ", s_.records[static_cast<size_t>(row)] + 1); }

 private:
  Streams s_;
  int64_t padding_;
};

}  // namespace

SpecialIds FindSpecialIds(const text::Tokenizer& tokenizer) {
  SpecialIds ids;
  ids.padding = FindFirst(tokenizer, {"<pad>", "[PAD]", "<|pad|>"});
  ids.begin = FindFirst(tokenizer, {"<s>", "<|begin|>", "[CLS]"});
  ids.end = FindFirst(tokenizer, {"</s>", "<|end|>", "<|endoftext|>", "[SEP]"});
  ids.unknown = FindFirst(tokenizer, {"<unk>", "[UNK]"});
  ids.mask = FindFirst(tokenizer, {"<mask>", "[MASK]"});
  if (ids.padding < 0) ids.padding = std::max<int64_t>(0, ids.end);
  return ids;
}

std::unique_ptr<Examples> TokenExamples(const Records& records, const DataSettings& data,
                                        const text::Tokenizer& tokenizer, ExamplesReport* report) {
  const SpecialIds ids = FindSpecialIds(tokenizer);
  Streams streams;
  // A record begins and ends with the tokenizer's marks where it has them.
  const int64_t marks = (ids.begin >= 0) + (ids.end >= 0);
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const std::string text = TextField(fields, data.text, records.Describe(index));
    std::vector<text::TokenId> tokens = tokenizer.Encode(text);
    if (tokens.empty()) {
      ++report->empty;
      return;
    }
    bool was_cut = false;
    if (!data.packed && static_cast<int64_t>(tokens.size()) + marks > data.sequence_length + 1) {
      if (data.long_records == "drop") {
        ++report->dropped;
        return;
      }
      ++report->truncated;
      was_cut = true;
      tokens.resize(static_cast<size_t>(data.sequence_length + 1 - marks));
    }
    streams.begins.push_back(static_cast<int64_t>(streams.tokens.size()));
    streams.records.push_back(index);
    if (ids.begin >= 0) streams.tokens.push_back(static_cast<int32_t>(ids.begin));
    streams.tokens.insert(streams.tokens.end(), tokens.begin(), tokens.end());
    if (ids.end >= 0) streams.tokens.push_back(static_cast<int32_t>(ids.end));
    report->tokens += static_cast<int64_t>(tokens.size());
    report->characters += data::CountCodePoints(was_cut ? tokenizer.Decode(tokens) : text);
    // The first token of all, or of a row, is asked of nobody.
    report->targets += static_cast<int64_t>(tokens.size()) + marks - (data.packed ? 0 : 1);
  });
  streams.begins.push_back(static_cast<int64_t>(streams.tokens.size()));
  const auto total = static_cast<int64_t>(streams.tokens.size());
  if (streams.records.empty())
    throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has any text to learn"));
  if (!data.packed) return std::make_unique<TokenRecords>(std::move(streams), ids.padding);
  if (total <= data.sequence_length) {
    throw Error(Code::kInvalidInput,
                Cat(records.name(), ": ", total, " tokens are too few for one row of ", data.sequence_length),
                "lower data.sequence_length, or set data.layout = \"records\"");
  }
  return std::make_unique<PackedTokens>(std::move(streams), data.sequence_length);
}

Sampler::Sampler(const Examples& examples, int64_t batch, uint64_t seed)
    : examples_(examples), batch_(batch), steps_((examples.size() + batch - 1) / batch), seed_(seed) {}

std::span<const int64_t> Sampler::Rows(int64_t step) {
  const int64_t epoch = step / steps_;
  if (epoch != epoch_) {
    epoch_ = epoch;
    order_.resize(static_cast<size_t>(examples_.size()));
    std::iota(order_.begin(), order_.end(), 0);
    Rng rng(seed_, Cat("epoch ", epoch));
    const auto shuffle = [&](std::vector<int64_t>& list) {
      for (size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[rng.Below(i)]);
    };
    shuffle(order_);
    const int64_t window = 64 * batch_;
    for (int64_t at = 0; at < examples_.size() && examples_.Length(0) > 0; at += window) {
      std::stable_sort(order_.begin() + at, order_.begin() + std::min(at + window, examples_.size()),
                       [&](int64_t a, int64_t b) { return examples_.Length(a) < examples_.Length(b); });
    }
    batches_.resize(static_cast<size_t>(steps_));
    std::iota(batches_.begin(), batches_.end(), 0);
    if (examples_.Length(0) > 0) shuffle(batches_);
  }
  const int64_t begin = batches_[static_cast<size_t>(step % steps_)] * batch_;
  return std::span(order_).subspan(static_cast<size_t>(begin),
                                   static_cast<size_t>(std::min(batch_, examples_.size() - begin)));
}

}  // namespace atelier::train
