#include "train/examples_choices.h"

#include <algorithm>
#include <numeric>

#include "artefact/gguf.h"
#include "base/error.h"
#include "base/str.h"
#include "data/scan.h"
#include "rank/choices.h"
#include "rank/features.h"
#include "runtime/arch/arch.h"
#include "train/token_rows.h"

namespace atelier::train {
namespace {

class ChoicesAsRows : public Examples {
 public:
  ChoicesAsRows(std::string prefix, const text::Tokenizer& tokenizer, const DataSettings& data)
      : prefix_(std::move(prefix)), tokenizer_(tokenizer), most_(static_cast<size_t>(data.sequence_length)) {}

  void Add(const rank::Choice& choice, int64_t record, ExamplesReport* report) {
    const double all = std::accumulate(choice.gains.begin(), choice.gains.end(), 0.0);
    bool cut = false;
    for (size_t i = 0; i < choice.options.size(); ++i) {
      const std::string& text = choice.options[i].text;
      const std::vector<int32_t> tokens = Tokens(text, &cut);
      report->tokens += std::ssize(tokens);
      report->characters += data::CountCodePoints(text);
      rows_.Add(tokens, record);
      marks_.push_back(static_cast<float>(choice.weight * choice.gains[i] / all));
    }
    report->truncated += cut;
    rows_.Add(Tokens(rank::ContextText(choice.context), nullptr), record);
    marks_.push_back(0);
    begins_.push_back(rows_.size());
  }

  // Weights mean something beside each other alone: brought to a mean of 1, they leave the rate of learning as it is.
  void Settle() {
    const double mean = std::accumulate(marks_.begin(), marks_.end(), 0.0) / static_cast<double>(size());
    for (float& mark : marks_) mark = static_cast<float>(mark / mean);
  }

  int64_t size() const override { return std::ssize(begins_) - 1; }
  int64_t Length(int64_t row) const override {
    int64_t longest = 0;
    for (int64_t i = Begin(row); i < Context(row); ++i) longest = std::max(longest, rows_.Length(i));
    return longest;
  }
  std::string Describe(int64_t row) const override { return rows_.Describe(Begin(row)); }

  model::Batch Collate(std::span<const int64_t> which, Rng rng) const override {
    std::vector<int64_t> rows, choice;
    std::vector<float> marks;
    for (size_t i = 0; i < which.size(); ++i) {
      for (const int64_t option : Compared(which[i], &rng)) {
        rows.push_back(option);
        choice.push_back(static_cast<int64_t>(i));
        marks.push_back(marks_[static_cast<size_t>(option)]);
      }
    }
    for (const int64_t row : which) rows.push_back(Context(row));
    model::Batch batch = rows_.Lay(rows, 0);
    batch.targets = torch::tensor(choice, torch::kInt64);
    batch.marks = torch::tensor(marks, torch::kFloat32);
    return batch;
  }

 private:
  int64_t Begin(int64_t row) const { return begins_[static_cast<size_t>(row)]; }
  int64_t Context(int64_t row) const { return Begin(row + 1) - 1; }

  // The options of a choice, or of many so many of them, in their order.
  std::vector<int64_t> Compared(int64_t row, Rng* rng) const {
    std::vector<int64_t> all(static_cast<size_t>(Context(row) - Begin(row)));
    std::iota(all.begin(), all.end(), Begin(row));
    if (all.size() <= kMostCompared) return all;
    for (size_t i = all.size() - 1; i > 0; --i) std::swap(all[i], all[rng->Below(i + 1)]);
    const auto others =
        std::stable_partition(all.begin(), all.end(), [&](int64_t i) { return marks_[static_cast<size_t>(i)] > 0; });
    const auto room = static_cast<ptrdiff_t>(kMostCompared);  // one of them at least was not taken, or taken less
    if (others != all.end() && others - all.begin() >= room) std::iter_swap(all.begin() + room - 1, others);
    all.resize(kMostCompared);
    std::sort(all.begin(), all.end());
    return all;
  }

  std::vector<int32_t> Tokens(const std::string& text, bool* cut) const {
    std::vector<int32_t> tokens = tokenizer_.Encode(Cat(prefix_, text), {.add_special = true});
    if (tokens.empty() || tokens.back() != tokenizer_.eos()) tokens.push_back(tokenizer_.eos());
    if (tokens.size() > most_) {
      tokens.resize(most_);
      tokens.back() = tokenizer_.eos();
      if (cut != nullptr) *cut = true;
    }
    return tokens;
  }

  const std::string prefix_;
  const text::Tokenizer& tokenizer_;
  const size_t most_;
  TokenRows rows_;                     // of each choice the options and, behind them, the context
  std::vector<int64_t> begins_ = {0};  // [choices + 1] a choice's first row; the last is the number of rows
  std::vector<float> marks_;           // [rows]; a context's is 0
};

}  // namespace

std::unique_ptr<Examples> ChoiceExamples(const Records& records, const DataSettings& data, const std::string& start,
                                         const text::Tokenizer& tokenizer, ExamplesReport* report) {
  if (start.empty()) throw Error(Code::kInternal, "choices without an encoder");
  auto out = std::make_unique<ChoicesAsRows>(runtime::ReadBert(*artefact::GgufFile::Open(start)).query_prefix,
                                             tokenizer, data);
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const rank::Choice choice =
        rank::ParseChoice(ToText(fields), records.Describe(index), {data.prompt, data.chosen, data.rejected});
    const auto& gains = choice.gains;
    if (std::all_of(gains.begin(), gains.end(), [&](double gain) { return gain == gains[0]; })) {
      ++report->empty;
    } else {
      out->Add(choice, index, report);
    }
  });
  if (out->size() == 0) throw Error(Code::kInvalidInput, Cat(records.name(), ": no choice says what is preferred"));
  out->Settle();
  return out;
}

}  // namespace atelier::train
