#include "operators/answer.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/str.h"
#include "operators/per_language.h"
#include "text/sentences.h"
#include "text/unicode.h"

namespace atelier::operators {
namespace {

// What the confidence is made of, each a weight of a logistic and one of a candidate's scores; answer.h says what.
constexpr const char* kMeasures[] = {"cosine", "coverage", "bm25", "sentence", "agreement"};

struct Confidence {
  double bias = 0;
  std::map<std::string, double> weights;
  double Of(const std::map<std::string, double>& scores) const {
    double sum = bias;
    for (const auto& [name, weight] : weights) sum += weight * scores.at(name);
    return 1 / (1 + std::exp(-sum));
  }
};

struct AnswerSettings {
  std::string index, question, passages;
  size_t most_sentences = 3, most_chars = 420;
  PerLanguage absent, other_language;
  double least = 0.5;
  std::map<std::string, Confidence> confidence;
};

std::string TextOf(const Json& object, const std::string& key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : "";
}

bool EndsWithColon(std::string_view text) { return text.ends_with(':') || text.ends_with("："); }

class Answer : public recipe::Operator {
 public:
  Answer(std::string id, AnswerSettings settings) : id_(std::move(id)), settings_(std::move(settings)) {}

  void Apply(recipe::Run& run, std::span<const size_t> records, int attempt) override {
    uint64_t done = 0;
    for (const size_t at : records) {
      run.Report(done++, records.size(), "");
      recipe::Record& record = run.records().at(at);
      if (!record.needs_person.empty()) continue;
      recipe::Candidate candidate = Write(run, record);
      candidate.writer = id_;
      candidate.attempt = attempt;
      // It writes one, and there is nothing to choose; a `select` after it may rank it among others.
      if (record.ranking.empty()) record.ranking.push_back(record.candidates.size());
      record.offered = record.ranking.size();
      record.candidates.push_back(std::move(candidate));
    }
  }

 private:
  struct Chosen {
    size_t passage;
    Unit unit;
    double score, cosine;
  };

  recipe::Candidate Write(recipe::Run& run, const recipe::Record& record) {
    const std::string question = TextOf(record.input, settings_.question);
    static const Json kNone = Json::array();
    const auto field = record.input.find(settings_.passages);
    const Json& passages = field != record.input.end() && field->is_array() ? *field : kNone;
    recipe::Candidate candidate;
    double confidence = 0;
    const std::vector<size_t> order = Order(passages, record.lang);
    std::vector<Chosen> units;
    if (!order.empty()) {
      units = Rank(run, question, passages, order);
      Measure(run, question, passages, units, &candidate.scores);
      confidence = settings_.confidence.at(record.lang).Of(candidate.scores);
    }
    candidate.scores["confidence"] = confidence;
    std::vector<Chosen> chosen;
    if (!order.empty() && confidence >= settings_.least) chosen = Choose(passages, units);
    candidate.choices = {{"found", !chosen.empty()}, {"confidence", confidence}, {"citations", Json::array()}};
    if (chosen.empty()) {
      candidate.output = {{"answer", settings_.absent.at(record.lang)}, {"found", "no"}, {"citations", Json::array()}};
      return candidate;
    }
    Compose(record.lang, passages, chosen, &candidate);
    return candidate;
  }

  // Passages by how near they are; those in the question's language first while they are about as near as the nearest.
  static std::vector<size_t> Order(const Json& passages, const std::string& lang) {
    std::vector<size_t> own, other;
    double nearest = 0;
    for (const Json& passage : passages) nearest = std::max(nearest, passage["cosine"].get<double>());
    for (size_t i = 0; i < passages.size() && i < 6; ++i) {
      const bool same = TextOf(passages[i], "lang") == lang;
      const double cosine = passages[i]["cosine"].get<double>();
      (same && (cosine == 0 || cosine >= nearest - 0.04) ? own : other).push_back(i);
    }
    return own.empty() ? other : own;
  }

  void Measure(recipe::Run& run, const std::string& question, const Json& passages, const std::vector<Chosen>& units,
               std::map<std::string, double>* scores) const {
    std::vector<std::string> texts;
    double cosine = 0, bm25 = 0, coverage = 0, sentence = 0, both = 0;
    for (const Json& passage : passages) {
      const double near = passage["cosine"].get<double>(), words = passage["bm25"].get<double>();
      cosine = std::max(cosine, near);
      bm25 = std::max(bm25, words);
      both += near > 0 && words > 0;
      if (texts.size() < 4) texts.push_back(Cat(TextOf(passage, "heading"), "\n", TextOf(passage, "text")));
    }
    for (const artefact::Match& match : run.Search().Compare(settings_.index, question, texts)) {
      coverage = std::max(coverage, match.coverage);
    }
    for (const Chosen& unit : units) sentence = std::max(sentence, unit.cosine);
    *scores = {{"cosine", cosine},
               {"coverage", coverage},
               {"bm25", bm25},
               {"sentence", sentence},
               {"agreement", both / static_cast<double>(passages.size())}};
  }

  // What may be said of the first passages, the nearest first.
  std::vector<Chosen> Rank(recipe::Run& run, const std::string& question, const Json& passages,
                           const std::vector<size_t>& order) const {
    std::vector<Chosen> units;
    std::vector<std::string> texts, headed;  // a sentence alone often does not say what it is about
    for (size_t place = 0; place < order.size() && place < 3; ++place) {
      const std::string text = TextOf(passages[order[place]], "text");
      for (const Unit& unit : Units(text)) {
        units.push_back({order[place], unit, 0.06 * static_cast<double>(place), 0});  // what a later place costs
        texts.push_back(text.substr(unit.begin, unit.end - unit.begin));
        headed.push_back(Cat(TextOf(passages[order[place]], "heading"), "\n", texts.back()));
      }
    }
    const std::vector<artefact::Match> matches = run.Search().Compare(settings_.index, question, headed);
    for (size_t i = 0; i < units.size(); ++i) {
      // e5's cosines lie close together: a tenth of them is as much as all the words.
      const bool short_one = text::CountChars(texts[i]) < 12;
      units[i].cosine = matches[i].cosine;
      units[i].score = 4 * matches[i].cosine + 0.5 * matches[i].coverage - units[i].score - (short_one ? 0.15 : 0);
    }
    std::stable_sort(units.begin(), units.end(), [](const Chosen& a, const Chosen& b) { return a.score > b.score; });
    return units;
  }

  std::vector<Chosen> Choose(const Json& passages, const std::vector<Chosen>& units) const {
    std::vector<Chosen> chosen;
    size_t chars = 0;
    for (const Chosen& unit : units) {
      if (chosen.size() >= settings_.most_sentences) break;
      if (!chosen.empty() && (unit.score < chosen[0].score - 0.12 || unit.passage != chosen[0].passage)) continue;
      const std::string text = TextOf(passages[unit.passage], "text");
      const size_t more =
          text::CountChars(std::string_view(text).substr(unit.unit.begin, unit.unit.end - unit.unit.begin));
      if (!chosen.empty() && chars + more > settings_.most_chars) continue;
      const auto overlaps = [&](const Chosen& c) {
        return c.unit.begin < unit.unit.end && unit.unit.begin < c.unit.end;
      };
      if (std::any_of(chosen.begin(), chosen.end(), overlaps)) continue;
      chosen.push_back(unit);
      chars += more;
    }
    std::sort(chosen.begin(), chosen.end(),
              [](const Chosen& a, const Chosen& b) { return a.unit.begin < b.unit.begin; });
    return chosen;
  }

  void Compose(const std::string& lang, const Json& passages, const std::vector<Chosen>& chosen,
               recipe::Candidate* candidate) const {
    const Json& passage = passages[chosen[0].passage];
    const std::string text = TextOf(passage, "text");
    std::string answer, joined;
    if (TextOf(passage, "lang") != lang) {
      const auto lead = settings_.other_language.find(lang);
      if (lead != settings_.other_language.end()) answer = lead->second;
    }
    Json parts = Json::array(), quotes = Json::array();
    size_t at = 0, end = 0;
    const auto part = [&](size_t from, size_t to, bool said) {
      if (from < to) parts.push_back({{"text", text.substr(from, to - from)}, {"said", said}});
    };
    for (const Chosen& unit : chosen) {
      const std::string quote = text.substr(unit.unit.begin, unit.unit.end - unit.unit.begin);
      part(at, unit.unit.begin, false);
      part(unit.unit.begin, unit.unit.end, true);
      if (!joined.empty())
        joined += unit.unit.begin > end + 2 ? " … " : quote.find('\n') != std::string::npos ? "\n" : " ";
      joined += quote;
      at = end = unit.unit.end;
      const size_t before = text::CountChars(std::string_view(text).substr(0, unit.unit.begin));
      const size_t first = passage["begin"].get<size_t>() + before;
      quotes.push_back({{"text", quote}, {"begin", first}, {"end", first + text::CountChars(quote)}});
    }
    part(at, text.size(), false);
    answer += joined;
    const std::string place =
        Cat(TextOf(passage, "document"), TextOf(passage, "anchor").empty() ? "" : "#", TextOf(passage, "anchor"));
    candidate->output = {{"answer", answer}, {"found", "yes"}, {"citations", Json::array({place})}};
    candidate->choices["citations"].push_back({{"number", passage["number"]},
                                               {"place", place},
                                               {"document", passage["document"]},
                                               {"title", passage["title"]},
                                               {"source", passage["source"]},
                                               {"anchor", passage["anchor"]},
                                               {"lang", passage["lang"]},
                                               {"headings", passage["headings"]},
                                               {"begin", passage["begin"]},
                                               {"end", passage["end"]},
                                               {"quotes", quotes},
                                               {"parts", parts}});
  }

  std::string id_;
  AnswerSettings settings_;
};

}  // namespace

std::vector<Unit> Units(std::string_view text) {
  std::vector<Unit> units;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view line = text.substr(at, end - at);
    // What a colon announced: its next lines belong to it, up to a few or to the next whole sentence.
    const bool goes_on =
        !units.empty() && EndsWithColon(Trim(text.substr(units.back().begin, units.back().end - units.back().begin)));
    if (!Trim(line).empty() && goes_on) {
      units.back().end = end;
      size_t next = end + 1;
      for (int more = 0; more < 4 && next < text.size(); ++more) {
        size_t stop = text.find('\n', next);
        if (stop == std::string_view::npos) stop = text.size();
        const std::string_view following = text.substr(next, stop - next);
        if (text::Sentences(following).size() > 1 || text::CountChars(following) > 100 ||
            EndsWithColon(Trim(following)))
          break;
        units.back().end = stop;
        end = stop;
        next = stop + 1;
      }
    } else if (line.find(" | ") != std::string_view::npos) {
      units.push_back({at, end});
    } else {
      size_t from = at;
      for (const std::string_view sentence : text::Sentences(line)) {
        const std::string_view trimmed = Trim(sentence);
        if (!trimmed.empty()) {
          const size_t begin = from + static_cast<size_t>(trimmed.data() - sentence.data());
          units.push_back({begin, begin + trimmed.size()});
        }
        from += sentence.size();
      }
    }
    at = end + 1;
  }
  for (Unit& unit : units) {  // what is cited is what is said, to the character
    const std::string_view said = Trim(text.substr(unit.begin, unit.end - unit.begin));
    unit.begin = static_cast<size_t>(said.data() - text.data());
    unit.end = unit.begin + said.size();
  }
  return units;
}

std::unique_ptr<recipe::Operator> MakeAnswer(Table& step, const recipe::StepContext& context) {
  AnswerSettings settings;
  settings.index = step.String("index");
  settings.question = step.StringOr("question", "question");
  settings.passages = step.StringOr("passages", "passages");
  settings.most_sentences = static_cast<size_t>(step.IntOr("most_sentences", 3, 1, 20));
  settings.most_chars = static_cast<size_t>(step.IntOr("most_chars", 420, 20, 10000));
  settings.absent = ReadPerLanguage(step, "absent");
  if (step.Has("other_language")) settings.other_language = ReadPerLanguage(step, "other_language");
  Table confidence = step.Sub("confidence");
  settings.least = confidence.DoubleOr("least", 0.5, 0, 1);
  for (const std::string lang : {"zh", "en"}) {
    Table table = confidence.Sub(lang);
    Confidence& c = settings.confidence[lang];
    c.bias = table.Double("bias");
    for (const char* name : kMeasures) c.weights[name] = table.DoubleOr(name, 0);
    table.Done();
    if (!settings.absent.contains(lang)) step.Refuse("absent", Cat("has no ", lang));
  }
  confidence.Done();
  return std::make_unique<Answer>(context.id, std::move(settings));
}

}  // namespace atelier::operators
