// atelier evaluate retrieval INDEX --questions FILE: how well an index finds what questions ask for.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/ranking.h"
#include "evaluate/resample.h"
#include "retrieve/index.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

// One line of the questions: docs/formats/index.md.
struct Question {
  std::string id, text, lang, passage_lang, document, section, phrase, half;
};

std::string OneSpace(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c;
    }
  }
  return out;
}

class EvaluateRetrieval : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("index", &index_, "the index", true);
    cli.Text("--questions", &questions_file_,
             "JSON lines: id, question, lang, passage_lang, document, section, phrase, half", true);
    cli.Text("--half", &half_, "only questions of this half: tuning or held-out");
    cli.Text("--run", &run_file_, "write the lists found, in TREC's form, to FILE.MODE");
    cli.Double("--rrf-k", &fusion_.k, "of the fusion of ranks", 0, 10000);
    cli.Double("--weight-bm25", &fusion_.bm25, "of the fusion of ranks", 0, 100);
    cli.Double("--weight-dense", &fusion_.dense, "of the fusion of ranks", 0, 100);
    cli.Int("--depth", &depth_, "places of each list that are fused", 1, 10000);
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    const auto index = retrieve::Index::Open(retrieve::IndexFolder(studio.folder(), index_), WordsOf(studio));
    ReadQuestions();
    fusion_.depth = static_cast<size_t>(depth_);
    const bool dense = index->manifest().config.dims > 0;
    std::vector<std::vector<float>> vectors(questions_.size());
    if (dense) {
      const auto embedder = LoadEmbedderNamed(studio, index->manifest().config.model);
      Progress progress("embedding questions", ProgressUnit::kItems, globals.quiet || globals.json);
      for (size_t i = 0; i < questions_.size(); ++i) {
        vectors[i] = embedder->Embed({questions_[i].text}, artefact::Embedder::Role::kQuery);
        progress.Update(i + 1, questions_.size());
      }
    }
    std::vector<retrieve::Mode> modes = {retrieve::Mode::kBm25};
    if (dense) modes.insert(modes.end(), {retrieve::Mode::kDense, retrieve::Mode::kHybrid});

    // Values by mode, metric and question.
    const std::vector<std::string> metrics = {"recall@5", "mrr", "ndcg@10", "phrase@5"};
    std::map<std::string, std::map<std::string, std::vector<double>>> values;
    for (const retrieve::Mode mode : modes) {
      const std::string name(retrieve::ModeName(mode));
      std::string run;
      for (size_t i = 0; i < questions_.size(); ++i) {
        const Question& question = questions_[i];
        retrieve::SearchOptions options;
        options.k = 60;
        options.mode = mode;
        options.fusion = fusion_;
        options.filter = {retrieve::ParseCondition(Cat("lang==", question.passage_lang))};
        const std::vector<retrieve::Hit> hits = index->Search(question.text, vectors[i], options);
        // Passages of one section count once, at the place of the first.
        evaluate::Ranked ranked;
        ranked.total = 1;
        std::set<std::string> seen;
        bool phrase = false;
        for (size_t h = 0; h < hits.size(); ++h) {
          const retrieve::Hit& hit = hits[h];
          const bool document =
              hit.document.starts_with(question.document) &&
              (hit.document.size() == question.document.size() || hit.document[question.document.size()] == '.');
          if (h < 5 && document && OneSpace(hit.text).find(question.phrase) != std::string::npos) phrase = true;
          const std::string section = Cat(hit.document, "#", hit.anchor);
          if (!seen.insert(section).second) continue;
          ranked.relevant.push_back(document && hit.anchor == question.section);
          run += Cat(question.id, " Q0 ", ReplaceAll(section, " ", "%20"), " ", seen.size(), " ",
                     1000 - static_cast<int>(seen.size()), " ", name, "\n");
        }
        values[name]["recall@5"].push_back(evaluate::RecallAt(ranked, 5));
        values[name]["mrr"].push_back(evaluate::ReciprocalRank(ranked));
        values[name]["ndcg@10"].push_back(evaluate::NdcgAt(ranked, 10));
        values[name]["phrase@5"].push_back(phrase);
      }
      if (!run_file_.empty()) WriteFileAtomic(Cat(run_file_, ".", name), run);
    }

    Json groups = Json::array();
    TextTable table({"HALF", "QUESTIONS", "N", "MODE", "RECALL@5", "MRR", "NDCG@10", "PHRASE@5"});
    for (const std::string half : {"tuning", "held-out"}) {
      for (const std::string kind : {"all", "zh", "en", "across"}) {
        std::vector<size_t> chosen;
        for (size_t i = 0; i < questions_.size(); ++i) {
          const Question& q = questions_[i];
          const std::string of = q.lang == q.passage_lang ? q.lang : "across";
          if (q.half == half && (kind == "all" || kind == of)) chosen.push_back(i);
        }
        if (chosen.empty()) continue;
        const auto of = [&](const std::string& mode, const std::string& metric) {
          std::vector<double> out;
          for (const size_t i : chosen) out.push_back(values[mode][metric][i]);
          return out;
        };
        for (const retrieve::Mode mode : modes) {
          const std::string name(retrieve::ModeName(mode));
          Json row = {{"half", half}, {"questions", kind}, {"n", chosen.size()}, {"mode", name}};
          std::vector<std::string> cells = {half, kind, Cat(chosen.size()), name};
          for (const std::string& metric : metrics) {
            const std::vector<double> list = of(name, metric);
            double sum = 0;
            for (const double value : list) sum += value;
            row[metric] = sum / static_cast<double>(list.size());
            cells.push_back(FormatFixed(sum / static_cast<double>(list.size()), 3));
          }
          if (mode == retrieve::Mode::kHybrid) {
            for (const std::string other : {"bm25", "dense"}) {
              const evaluate::Difference b = evaluate::CompareMeans(of("hybrid", "ndcg@10"), of(other, "ndcg@10"));
              row[Cat("over_", other)] = {{"difference", b.difference}, {"low", b.low}, {"high", b.high}, {"p", b.p}};
            }
          }
          groups.push_back(row);
          table.Add(cells);
        }
      }
    }
    if (globals.json) {
      std::cout << ToText({{"index", index_}, {"questions", questions_.size()}, {"results", groups}}) << "\n";
      return 0;
    }
    std::cout << table.Text();
    for (const Json& row : groups) {
      for (const std::string other : {"bm25", "dense"}) {
        if (!row.contains(Cat("over_", other)) || row["questions"] != "all") continue;
        const Json& b = row[Cat("over_", other)];
        std::cout << row["half"].get<std::string>() << ": hybrid over " << other << " in nDCG@10 by "
                  << FormatFixed(b["difference"].get<double>(), 3) << " (95 % from "
                  << FormatFixed(b["low"].get<double>(), 3) << " to " << FormatFixed(b["high"].get<double>(), 3)
                  << ", p = " << FormatFixed(b["p"].get<double>(), 4) << ")\n";
      }
    }
    return 0;
  }

 private:
  void ReadQuestions() {
    const std::string text = ReadFile(questions_file_, 64u << 20);
    size_t number = 0;
    for (const std::string& line : Split(text, '\n')) {
      ++number;
      if (Trim(line).empty()) continue;
      const std::string where = Cat(questions_file_, ":", number);
      const Json row = ParseJson(line, where, 4);
      const auto get = [&](const char* key) {
        if (!row.is_object() || !row.contains(key) || !row[key].is_string()) {
          throw Error(Code::kInvalidInput, Cat(where, ": has no text in \"", key, "\""));
        }
        return row[key].get<std::string>();
      };
      if (!row.contains("section")) continue;  // one that has no answer
      if (!half_.empty() && get("half") != half_) continue;
      questions_.push_back({get("id"), get("question"), get("lang"), get("passage_lang"), get("document"),
                            get("section"), get("phrase"), get("half")});
    }
    if (questions_.empty()) throw Error(Code::kInvalidInput, Cat(questions_file_, ": no questions"));
  }

  std::string index_, questions_file_, half_, run_file_;
  std::vector<Question> questions_;
  retrieve::Fusion fusion_;
  int64_t depth_ = static_cast<int64_t>(retrieve::Fusion().depth);
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateRetrieval() { return Make<EvaluateRetrieval>(); }

}  // namespace atelier::app
