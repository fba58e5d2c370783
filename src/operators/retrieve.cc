#include "operators/retrieve.h"

#include "base/error.h"
#include "base/str.h"
#include "operators/per_language.h"
#include "text/jinja.h"

namespace atelier::operators {
namespace {

class Retrieve : public recipe::Operator {
 public:
  Retrieve(std::string id, std::string index, text::Template query, std::vector<text::Template> filter, size_t k,
           std::string mode, std::string into)
      : id_(std::move(id)),
        index_(std::move(index)),
        query_(std::move(query)),
        filter_(std::move(filter)),
        k_(k),
        mode_(std::move(mode)),
        into_(std::move(into)) {}

  void Apply(recipe::Run& run, std::span<const size_t> records, int) override {
    uint64_t done = 0;
    for (const size_t at : records) {
      run.Report(done++, records.size(), index_);
      recipe::Record& record = run.records().at(at);
      if (!record.needs_person.empty()) continue;
      const Json context = RecordContext(record);
      artefact::SearchRequest request;
      request.index = index_;
      request.query = std::string(Trim(query_.Render(context)));
      request.k = k_;
      request.mode = mode_;
      for (const text::Template& condition : filter_) request.filter.push_back(condition.Render(context));
      Json list = Json::array();
      try {
        for (const artefact::Passage& passage : run.Search().Search(request))
          list.push_back(ToJson(passage, list.size() + 1));
      } catch (const Error& e) {
        throw e.Within(Cat("step ", id_));
      }
      record.input[into_] = std::move(list);
    }
  }

 private:
  static Json ToJson(const artefact::Passage& passage, size_t number) {
    return {{"number", number},
            {"document", passage.document},
            {"title", passage.title},
            {"source", passage.source},
            {"anchor", passage.anchor},
            {"lang", passage.lang},
            {"headings", passage.headings},
            {"heading", passage.headings.empty() ? passage.title : passage.headings.back()},
            {"text", passage.text},
            {"begin", passage.begin_char},
            {"end", passage.end_char},
            {"score", passage.score},
            {"bm25", passage.bm25},
            {"cosine", passage.cosine}};
  }

  std::string id_, index_;
  text::Template query_;
  std::vector<text::Template> filter_;
  size_t k_;
  std::string mode_, into_;
};

}  // namespace

std::unique_ptr<recipe::Operator> MakeRetrieve(Table& step, const recipe::StepContext& context) {
  const auto parse = [&](const std::string& text, std::string_view key) {
    try {
      return text::Template::Parse(text, step.Where(key));
    } catch (const Error& e) {
      step.Refuse(key, e.what(), e.hint());
    }
  };
  const std::string index = step.String("index");
  text::Template query = parse(step.String("query"), "query");
  std::vector<text::Template> filter;
  for (const std::string& condition : step.StringsOr("filter", {})) filter.push_back(parse(condition, "filter"));
  const auto k = static_cast<size_t>(step.IntOr("k", 8, 1, 100));
  const std::string mode = step.StringOr("mode", "hybrid");
  if (mode != "hybrid" && mode != "bm25" && mode != "dense") {
    step.Refuse("mode", Cat(Quote(mode), " is not a way to search"), "hybrid, bm25 or dense");
  }
  return std::make_unique<Retrieve>(context.id, index, std::move(query), std::move(filter), k, mode,
                                    step.StringOr("into", "passages"));
}

}  // namespace atelier::operators
