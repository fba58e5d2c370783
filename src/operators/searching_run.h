// For the tests of what searches: a run over records with an index that is a list of passages.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/str.h"
#include "recipe/run.h"

namespace atelier::operators {

// Gives every question the same passages and remembers what it was asked. A text meets a question by the share of the
// question's words, parted by spaces, that stand in it.
class ListSearcher : public artefact::Searcher {
 public:
  std::vector<artefact::Passage> Search(const artefact::SearchRequest& request) override {
    requests.push_back(request);
    if (!fault.empty()) throw Error(Code::kNotFound, fault);
    return {passages.begin(), passages.begin() + static_cast<ptrdiff_t>(std::min(request.k, passages.size()))};
  }
  std::vector<artefact::Match> Compare(const std::string&, const std::string& question,
                                       const std::vector<std::string>& texts) override {
    const std::vector<std::string> words = Split(question, ' ');
    std::vector<artefact::Match> matches;
    for (const std::string& text : texts) {
      double found = 0;
      for (const std::string& word : words) found += text.find(word) != std::string::npos;
      const double share = found / static_cast<double>(words.size());
      matches.push_back({.cosine = 0.8 + 0.1 * share, .coverage = share});
    }
    return matches;
  }

  std::string Version(const std::string&) override { return "1"; }

  std::vector<artefact::Passage> passages;
  std::vector<artefact::SearchRequest> requests;
  std::string fault;
};

class SearchingRun : public recipe::Run {
 public:
  std::vector<recipe::Record>& records() override { return records_; }
  uint64_t seed() const override { return 1; }
  const std::string& folder() const override { return empty_; }
  const std::string& out() const override { return empty_; }
  const std::string& recipe_name() const override { return empty_; }
  const std::string& variant() const override { return empty_; }
  const std::string& config_hash() const override { return empty_; }
  std::shared_ptr<artefact::Generator> Model(const std::string& name) override {
    throw Error(Code::kNotFound, Cat("no model ", name));
  }
  artefact::Searcher& Search() override { return searcher; }
  void Rerun(const std::string&, std::span<const size_t>, int) override {}
  void Report(uint64_t, uint64_t, std::string_view) override {}

  recipe::Record& Ask(std::string question, std::string lang) {
    recipe::Record record;
    record.index = records_.size();
    record.lang = std::move(lang);
    record.input = {{"question", std::move(question)}};
    records_.push_back(std::move(record));
    return records_.back();
  }
  void Apply(recipe::Operator& step) {
    std::vector<size_t> all;
    for (size_t i = 0; i < records_.size(); ++i) all.push_back(i);
    step.Apply(*this, all, 0);
  }

  ListSearcher searcher;

 private:
  std::vector<recipe::Record> records_;
  std::string empty_;
};

}  // namespace atelier::operators
