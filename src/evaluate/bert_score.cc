#include "evaluate/bert_score.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/str.h"
#include "evaluate/embed_texts.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kLinesTogether = 256;
constexpr size_t kMostBytes = size_t{512} << 20;  // of vectors that are kept for texts to come

std::vector<double> Lengths(std::span<const float> vectors, size_t dims) {
  std::vector<double> lengths(vectors.size() / dims);
  for (size_t i = 0; i < lengths.size(); ++i) {
    lengths[i] = std::sqrt(Dot(vectors.data() + i * dims, vectors.data() + i * dims, dims));
  }
  return lengths;
}

double WeightedMean(std::span<const double> values, std::span<const double> weights) {
  double sum = 0, total = 0;
  for (const double weight : weights) total += weight;
  for (size_t i = 0; i < values.size(); ++i) sum += values[i] * (weights[i] / total);
  return sum;
}

double Rescaled(double score, const std::optional<double>& baseline) {
  return baseline ? (score - *baseline) / (1 - *baseline) : score;
}

std::string KeyOf(std::string_view hypothesis, std::string_view reference) { return Cat(hypothesis, "\n", reference); }

}  // namespace

BertScores MatchGreedily(const MatchTokens& hypothesis, const MatchTokens& reference, size_t dims) {
  if (hypothesis.empty || reference.empty) return {};
  const std::vector<double> left = Lengths(hypothesis.vectors, dims), right = Lengths(reference.vectors, dims);
  const auto aimless = [](double length) { return !(length > 0) || !std::isfinite(length); };
  if (std::any_of(left.begin(), left.end(), aimless) || std::any_of(right.begin(), right.end(), aimless)) {
    return {std::nan(""), std::nan(""), 0};
  }
  std::vector<double> row(left.size(), -2), column(right.size(), -2);
  for (size_t i = 0; i < left.size(); ++i) {
    for (size_t j = 0; j < right.size(); ++j) {
      const double cosine =
          Dot(hypothesis.vectors.data() + i * dims, reference.vectors.data() + j * dims, dims) / (left[i] * right[j]);
      row[i] = std::max(row[i], cosine);
      column[j] = std::max(column[j], cosine);
    }
  }
  BertScores scores;
  scores.precision = WeightedMean(row, hypothesis.weights);
  scores.recall = WeightedMean(column, reference.weights);
  scores.f1 = 2 * scores.precision * scores.recall / (scores.precision + scores.recall);
  if (std::isnan(scores.f1)) scores.f1 = 0;
  return scores;
}

void InverseFrequencies::Add(std::span<const int32_t> reference) {
  ++references_;
  for (const int32_t token : std::set<int32_t>(reference.begin(), reference.end())) ++with_[token];
}

double InverseFrequencies::Of(int32_t token) const {
  const auto at = with_.find(token);
  const int64_t with = at == with_.end() ? 0 : at->second;
  return std::log(static_cast<double>(references_ + 1) / static_cast<double>(with + 1));
}

void BertScoreOptions::Declare(MetricSettings& settings) {
  settings.Flag("idf", &idf, "tokens that many references have weigh less");
  settings.Int("layer", &layer, "the encoder's layer whose vectors are compared; 0: the last", 0, 1000);
  const std::string help = " of unrelated texts, to be shown as 0";
  settings.Number("rescale-precision", &rescale_precision, "the precision" + help, -1, 0.9999);
  settings.Number("rescale-recall", &rescale_recall, "the recall" + help, -1, 0.9999);
  settings.Number("rescale-f1", &rescale_f1, "the F1" + help, -1, 0.9999);
}

// The tokens that are matched: the two ends and what lies between, without the role's words.
struct BertScore::Read {
  std::vector<int32_t> ids;
  std::vector<float> vectors;
  bool empty() const { return ids.size() == 2; }
};

BertScore::BertScore(const BertScoreOptions& options, std::shared_ptr<artefact::Embedder> embedder)
    : options_(options), embedder_(std::move(embedder)) {
  if (options_.layer > embedder_->layers()) {
    throw Error(Code::kInvalidInput, Cat("the model ", embedder_->info().name, " has no layer ", options_.layer),
                Cat("its layers are 1 to ", embedder_->layers()));
  }
  if (options_.rescale_precision.has_value() != options_.rescale_recall.has_value() ||
      options_.rescale_recall.has_value() != options_.rescale_f1.has_value()) {
    throw Error(Code::kUsage, "rescaling wants what unrelated texts get of all three: precision, recall and F1",
                "--rescale-precision P --rescale-recall R --rescale-f1 F");
  }
  if (options_.layer == 0) options_.layer = embedder_->layers();
  threads_ = std::make_unique<ThreadPool>(ThreadPool::DefaultThreads());
}

BertScore::~BertScore() = default;

const BertScore::Read* BertScore::Find(const std::string& text) const {
  const auto at = read_.find(text);
  return at == read_.end() ? nullptr : at->second.get();
}

void BertScore::ReadTexts(const std::vector<std::string>& texts) {
  using artefact::Embedder;
  const auto dims = static_cast<size_t>(embedder_->dims());
  std::vector<artefact::TokenVectors> all =
      embedder_->EmbedTokens(texts, Embedder::Role::kQuery, static_cast<int>(options_.layer));
  for (size_t i = 0; i < texts.size(); ++i) {
    artefact::TokenVectors& from = all[i];
    auto read = std::make_unique<Read>();
    const auto take = [&](size_t begin, size_t end) {
      read->ids.insert(read->ids.end(), from.ids.begin() + static_cast<int64_t>(begin),
                       from.ids.begin() + static_cast<int64_t>(end));
      read->vectors.insert(read->vectors.end(), from.vectors.begin() + static_cast<int64_t>(begin * dims),
                           from.vectors.begin() + static_cast<int64_t>(end * dims));
    };
    take(0, 1);
    take(from.first, from.ids.size());
    from.vectors = {};
    cut_ += from.truncated ? 1 : 0;
    read_bytes_ += read->vectors.size() * sizeof(float) + texts[i].size();
    read_[texts[i]] = std::move(read);
  }
}

void BertScore::ScorePairs(std::vector<Pair>* pairs) {
  if (read_bytes_ > kMostBytes) {
    read_.clear();
    read_bytes_ = 0;
  }
  std::set<std::string> unread;
  for (const Pair& pair : *pairs) {
    for (const std::string_view text : {pair.hypothesis, pair.reference}) {
      if (std::string key(text); Find(key) == nullptr) unread.insert(std::move(key));
    }
  }
  if (!unread.empty()) ReadTexts({unread.begin(), unread.end()});
  for (Pair& pair : *pairs) {
    pair.left = Find(std::string(pair.hypothesis));
    pair.right = Find(std::string(pair.reference));
  }
  const auto dims = static_cast<size_t>(embedder_->dims());
  const auto weigh = [&](const Read& read, bool* even) {
    std::vector<double> weights(read.ids.size(), 1);
    if (idf_)
      std::transform(read.ids.begin(), read.ids.end(), weights.begin(), [&](int32_t id) { return idf_->Of(id); });
    weights.front() = weights.back() = 0;
    if (!read.empty() && std::all_of(weights.begin(), weights.end(), [](double weight) { return weight == 0; })) {
      std::fill(weights.begin() + 1, weights.end() - 1, 1);
      *even = true;
    }
    return weights;
  };
  threads_->Run([&](int thread) {
    for (size_t i = static_cast<size_t>(thread); i < pairs->size(); i += static_cast<size_t>(threads_->size())) {
      Pair& pair = (*pairs)[i];
      const std::vector<double> left = weigh(*pair.left, &pair.even), right = weigh(*pair.right, &pair.even);
      pair.scores = MatchGreedily({pair.left->vectors, left, pair.left->empty()},
                                  {pair.right->vectors, right, pair.right->empty()}, dims);
    }
  });
  for (const Pair& pair : *pairs) {
    const BertScores& scores = pair.scores;
    if (!std::isfinite(scores.precision) || !std::isfinite(scores.recall)) {
      throw Error(Code::kCorrupt,
                  Cat("the model ", embedder_->info().name, " gives a token of ", Quote(pair.hypothesis.substr(0, 60)),
                      " or of its reference no direction"),
                  "atelier model verify says whether its file is whole");
    }
    even_ += pair.even ? 1 : 0;
    scores_[KeyOf(pair.hypothesis, pair.reference)] = scores;
  }
}

void BertScore::Prepare(std::span<const std::string_view> hypotheses,
                        std::span<const std::vector<std::string_view>> references, const ProgressFn& progress) {
  scores_.clear();
  even_ = 0;
  if (options_.idf) {
    idf_.emplace();
    for (const auto& reference : references) {
      for (size_t begin = 0; begin < reference.size(); begin += kLinesTogether) {
        const size_t end = std::min(reference.size(), begin + kLinesTogether);
        const std::vector<std::string> texts(reference.begin() + static_cast<int64_t>(begin),
                                             reference.begin() + static_cast<int64_t>(end));
        for (const artefact::TokenVectors& text : embedder_->ReadTokens(texts, artefact::Embedder::Role::kQuery)) {
          idf_->Add(std::span(text.ids).subspan(text.first, text.last - text.first));  // the ends weigh 0 anyway
        }
      }
    }
  }
  std::set<std::string> seen;
  for (size_t begin = 0; begin < hypotheses.size(); begin += kLinesTogether) {
    const size_t end = std::min(hypotheses.size(), begin + kLinesTogether);
    std::vector<Pair> pairs;
    for (size_t line = begin; line < end; ++line) {
      for (const auto& reference : references) {
        if (!seen.insert(KeyOf(hypotheses[line], reference[line])).second) continue;
        pairs.emplace_back();
        pairs.back().hypothesis = hypotheses[line];
        pairs.back().reference = reference[line];
      }
    }
    ScorePairs(&pairs);
    if (progress) progress(end, hypotheses.size(), "");
  }
}

void BertScore::Count(std::string_view hypothesis, std::span<const std::string_view> references, int64_t* counts) {
  BertScores best{-1, -1, -1};
  for (const std::string_view reference : references) {
    auto at = scores_.find(KeyOf(hypothesis, reference));
    if (at == scores_.end()) {
      std::vector<Pair> pair(1);
      pair[0].hypothesis = hypothesis;
      pair[0].reference = reference;
      ScorePairs(&pair);
      at = scores_.find(KeyOf(hypothesis, reference));
    }
    best.precision = std::max(best.precision, at->second.precision);
    best.recall = std::max(best.recall, at->second.recall);
    best.f1 = std::max(best.f1, at->second.f1);
  }
  counts[0] = ScoreUnits(std::clamp(best.f1, -1.0, 1.0));  // of numbers of two signs it may be anything
  counts[1] = ScoreUnits(best.precision);
  counts[2] = ScoreUnits(best.recall);
  counts[3] = 1;
}

double BertScore::Score(std::span<const int64_t> sum, size_t which) const {
  const std::optional<double>* baselines[] = {&options_.rescale_f1, &options_.rescale_precision,
                                              &options_.rescale_recall};
  if (sum[3] == 0) return 0;
  const double mean = static_cast<double>(sum[which]) / static_cast<double>(kScoreUnit) / static_cast<double>(sum[3]);
  return Rescaled(mean, *baselines[which]);
}

std::string BertScore::Fields(bool) const {
  const artefact::ModelInfo& model = embedder_->info();
  std::string rescaled = "no";
  if (options_.rescale_f1) {
    rescaled = Cat(*options_.rescale_precision, "/", *options_.rescale_recall, "/", *options_.rescale_f1);
  }
  return Cat("model:", model.name, "|sha256:", model.hash.substr(0, 16), "|layer:", options_.layer,
             "|idf:", options_.idf ? "yes" : "no", "|rescaled:", rescaled);
}

Json BertScore::Details(std::span<const int64_t>) const {
  const artefact::EngineInfo engine = embedder_->engine();
  return {{"engine", {{"build", engine.build}, {"isa", engine.isa}}}, {"truncated", cut_}, {"evenly_weighted", even_}};
}

Note BertScore::Doubt(std::span<const std::string_view>) const {
  Note doubt;
  if (cut_ > 0) {
    doubt = {Cat(cut_, " texts are longer than the ", embedder_->context(), " tokens that the model reads"),
             Cat(cut_, " 段文字超过模型能读的 ", embedder_->context(), " 个词元")};
  }
  if (even_ > 0) {
    const bool second = !doubt.empty();
    doubt.en += Cat(second ? "; " : "", even_,
                    " pairs have a text all of whose tokens stand in every reference: "
                    "idf weighs them 0, so they count evenly");
    doubt.zh += Cat(second ? "；" : "", even_, " 对里有一段文字的词元每个参考都有：idf 给它们的权重为 0，所以平均计算");
  }
  return doubt;
}

}  // namespace atelier::evaluate
