#include "train/examples_labelled.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/str.h"
#include "data/scan.h"
#include "evaluate/classification.h"
#include "train/token_rows.h"

namespace atelier::train {
namespace {

constexpr size_t kMostClasses = 10000;

// Labels as they are read, and the classes that they are once all are known.
class ClassList {
 public:
  explicit ClassList(std::vector<std::string>* classes) : classes_(*classes), given_(!classes->empty()) {
    for (size_t i = 0; i < classes_.size(); ++i) found_[classes_[i]] = static_cast<int32_t>(i);
  }

  // A number for the label: its class's, or where classes are being found, one that Settle turns into it.
  int32_t Of(const std::string& label, const std::string& where) {
    const auto it = found_.find(label);
    if (it != found_.end()) return it->second;
    if (given_) {
      std::vector<std::string> some(classes_.begin(),
                                    classes_.begin() + static_cast<int64_t>(std::min<size_t>(20, classes_.size())));
      throw Error(Code::kInvalidInput,
                  Cat(where, ": the label ", Quote(label), " is none of the ", classes_.size(), " classes"),
                  Cat("they are ", Join(some, ", "), classes_.size() > some.size() ? " ..." : ""));
    }
    if (label.empty()) throw Error(Code::kInvalidInput, Cat(where, ": the label is empty"));
    if (found_.size() == kMostClasses) {
      throw Error(Code::kInvalidInput, Cat(where, ": more than ", kMostClasses, " different labels so far"),
                  "is data.label the field that holds the class?");
    }
    const auto number = static_cast<int32_t>(found_.size());
    return found_[label] = number;
  }

  // Puts the classes in their order and the numbers in `targets` right.
  void Settle(std::vector<int32_t>* targets) {
    if (given_) return;
    std::vector<std::string_view> labels;
    for (const auto& [label, number] : found_) labels.push_back(label);
    classes_ = evaluate::FindClasses(labels, {});
    std::vector<int32_t> order(found_.size());
    for (size_t i = 0; i < classes_.size(); ++i)
      order[static_cast<size_t>(found_[classes_[i]])] = static_cast<int32_t>(i);
    for (int32_t& target : *targets) {
      if (target >= 0) target = order[static_cast<size_t>(target)];
    }
  }

 private:
  std::vector<std::string>& classes_;
  bool given_;
  std::map<std::string, int32_t> found_;
};

void CountFit(Fit fit, const std::string& text, size_t tokens, ExamplesReport* report) {
  if (fit == Fit::kCut) ++report->truncated;
  report->tokens += static_cast<int64_t>(tokens);
  report->characters += data::CountCodePoints(text);
}

class Labelled : public Examples {
 public:
  Labelled(TokenRows rows, std::vector<int32_t> targets, int64_t padding)
      : rows_(std::move(rows)), targets_(std::move(targets)), padding_(padding) {}
  int64_t size() const override { return rows_.size(); }
  int64_t Length(int64_t row) const override { return rows_.Length(row); }
  std::string Describe(int64_t row) const override { return rows_.Describe(row); }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    model::Batch batch = rows_.Lay(rows, padding_);
    batch.targets = torch::empty({batch.rows()}, torch::kInt64);
    for (size_t i = 0; i < rows.size(); ++i) {
      batch.targets.data_ptr<int64_t>()[i] = targets_[static_cast<size_t>(rows[i])];
    }
    return batch;
  }

 private:
  TokenRows rows_;
  std::vector<int32_t> targets_;
  int64_t padding_;
};

class Tagged : public Examples {
 public:
  Tagged(TokenRows rows, TokenRows targets, int64_t padding)
      : rows_(std::move(rows)), targets_(std::move(targets)), padding_(padding) {}
  int64_t size() const override { return rows_.size(); }
  int64_t Length(int64_t row) const override { return rows_.Length(row); }
  std::string Describe(int64_t row) const override { return rows_.Describe(row); }
  model::Batch Collate(std::span<const int64_t> rows, Rng) const override {
    model::Batch batch = rows_.Lay(rows, padding_);
    batch.targets = targets_.Lay(rows, model::kIgnored).inputs;
    return batch;
  }

 private:
  TokenRows rows_, targets_;  // a target for each token
  int64_t padding_;
};

[[noreturn]] void RefuseNothing(const Records& records) {
  throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has any text to learn"));
}

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find_first_not_of(" \t\r\n", at);
    if (begin == std::string::npos) break;
    at = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

}  // namespace

std::unique_ptr<Examples> LabelledExamples(const Records& records, const DataSettings& data,
                                           const text::Tokenizer& tokenizer, std::vector<std::string>* classes,
                                           ExamplesReport* report) {
  const SpecialIds ids = FindSpecialIds(tokenizer);
  ClassList list(classes);
  TokenRows rows;
  std::vector<int32_t> targets;
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const std::string where = records.Describe(index);
    const std::string text = TextField(fields, data.text, where);
    const int32_t target = list.Of(TextField(fields, data.label, where), where);
    Fit fit;
    const std::vector<int32_t> row = EncodeRow(text, data, tokenizer, ids, &fit);
    if (row.empty()) {
      ++report->empty;
    } else if (fit == Fit::kTooLong) {
      ++report->dropped;
    } else {
      CountFit(fit, text, row.size(), report);
      rows.Add(row, index);
      targets.push_back(target);
    }
  });
  if (rows.size() == 0) RefuseNothing(records);
  list.Settle(&targets);
  return std::make_unique<Labelled>(std::move(rows), std::move(targets), ids.padding);
}

std::unique_ptr<Examples> TaggedExamples(const Records& records, const DataSettings& data,
                                         const text::Tokenizer& tokenizer, std::vector<std::string>* classes,
                                         ExamplesReport* report) {
  const SpecialIds ids = FindSpecialIds(tokenizer);
  ClassList list(classes);
  TokenRows rows;
  std::vector<int32_t> targets;  // of all rows, one behind the other
  std::vector<int64_t> indices;
  const size_t marks = size_t{ids.begin >= 0} + size_t{ids.end >= 0};
  const size_t room = std::max<size_t>(1, static_cast<size_t>(data.sequence_length) -
                                              std::min<size_t>(marks, static_cast<size_t>(data.sequence_length)));
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const std::string where = records.Describe(index);
    const std::string text = TextField(fields, data.text, where);
    const std::vector<std::string> words = Words(text), labels = Words(TextField(fields, data.label, where));
    if (words.size() != labels.size()) {
      throw Error(Code::kInvalidInput, Cat(where, ": ", words.size(), " words and ", labels.size(), " classes"),
                  "both fields are divided by spaces, a class for every word");
    }
    std::vector<int32_t> row, row_targets;
    for (size_t i = 0; i < words.size(); ++i) {
      const std::vector<int32_t> tokens = tokenizer.Encode(i == 0 ? words[i] : Cat(" ", words[i]));
      const int32_t target = list.Of(labels[i], where);
      for (size_t k = 0; k < tokens.size(); ++k) {
        row.push_back(tokens[k]);
        row_targets.push_back(k == 0 ? target : static_cast<int32_t>(model::kIgnored));
      }
    }
    if (row.empty()) {
      ++report->empty;
      return;
    }
    Fit fit = Fit::kWhole;
    if (row.size() > room) {
      if (data.long_records == "drop") {
        ++report->dropped;
        return;
      }
      fit = Fit::kCut;
      row.resize(room);
      row_targets.resize(room);
    }
    if (ids.begin >= 0) row.insert(row.begin(), static_cast<int32_t>(ids.begin));
    if (ids.begin >= 0) row_targets.insert(row_targets.begin(), static_cast<int32_t>(model::kIgnored));
    if (ids.end >= 0) row.push_back(static_cast<int32_t>(ids.end));
    if (ids.end >= 0) row_targets.push_back(static_cast<int32_t>(model::kIgnored));
    CountFit(fit, text, row.size(), report);
    rows.Add(row, index);
    targets.insert(targets.end(), row_targets.begin(), row_targets.end());
    indices.push_back(index);
  });
  if (rows.size() == 0) RefuseNothing(records);
  list.Settle(&targets);
  TokenRows tags;
  size_t at = 0;
  for (int64_t i = 0; i < rows.size(); ++i) {
    const auto length = static_cast<size_t>(rows.Length(i));
    tags.Add(std::span(targets).subspan(at, length), indices[static_cast<size_t>(i)]);
    at += length;
  }
  return std::make_unique<Tagged>(std::move(rows), std::move(tags), ids.padding);
}

}  // namespace atelier::train
