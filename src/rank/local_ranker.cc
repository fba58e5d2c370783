#include "rank/local_ranker.h"

#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/str.h"
#include "evaluate/embed_texts.h"
#include "rank/features.h"

namespace atelier::rank {
namespace {

class LocalRanker : public artefact::Ranker {
 public:
  LocalRanker(artefact::RankerFile file, artefact::ModelInfo info, std::shared_ptr<artefact::Embedder> encoder)
      : file_(std::move(file)), info_(std::move(info)), encoder_(std::move(encoder)) {
    for (const artefact::RankerFeature& feature : file_.features) {
      if (FindFeature(feature.name) == nullptr) wants_.push_back(feature.name);
    }
  }

  const artefact::ModelInfo& info() const override { return info_; }
  const std::vector<std::string>& wants() const override { return wants_; }

  std::vector<double> Score(const Json& context, const std::vector<artefact::RankOption>& options) override {
    std::vector<double> scores;
    for (const artefact::RankOption& option : options) {
      double score = 0;
      for (const artefact::RankerFeature& feature : file_.features)
        score += feature.weight * (FeatureOf(feature.name, option, context) - feature.mean) / feature.deviation;
      scores.push_back(score);
    }
    if (encoder_ != nullptr && !options.empty()) AddVectors(context, options, &scores);
    for (double& score : scores) score *= file_.temperature;
    return scores;
  }

 private:
  void AddVectors(const Json& context, const std::vector<artefact::RankOption>& options,
                  std::vector<double>* scores) const {
    const size_t dims = file_.text_weights.size();
    const std::string about = file_.product_weights.empty() ? "" : ContextText(context);
    std::vector<std::string_view> texts;
    for (const artefact::RankOption& option : options) texts.push_back(option.text);
    if (!about.empty()) texts.push_back(about);
    const std::vector<float> vectors = evaluate::EmbedTexts(*encoder_, texts);
    const float* of_context = vectors.data() + options.size() * dims;
    for (size_t i = 0; i < options.size(); ++i) {
      const float* vector = vectors.data() + i * dims;
      for (size_t d = 0; d < dims; ++d) {
        const double weight =
            file_.text_weights[d] + (about.empty() ? 0 : file_.product_weights[d] * static_cast<double>(of_context[d]));
        (*scores)[i] += weight * static_cast<double>(vector[d]);
      }
    }
  }

  const artefact::RankerFile file_;
  const artefact::ModelInfo info_;
  const std::shared_ptr<artefact::Embedder> encoder_;
  std::vector<std::string> wants_;
};

}  // namespace

std::shared_ptr<artefact::Ranker> MakeRanker(artefact::RankerFile file, artefact::ModelInfo info,
                                             std::shared_ptr<artefact::Embedder> encoder) {
  if (file.encoder.empty()) {
    encoder = nullptr;
  } else if (encoder->info().hash != file.encoder_sha256) {
    throw Error(Code::kConflict,
                Cat("the ranker ", info.name, " was trained on vectors of ", file.encoder, " with other weights: ",
                    file.encoder_sha256.substr(0, 12), ", here ", encoder->info().hash.substr(0, 12)),
                "train it again, or bring the old weights back");
  } else if (static_cast<size_t>(encoder->dims()) != file.text_weights.size()) {
    throw Error(Code::kConflict, Cat("the ranker ", info.name, " wants vectors of ", file.text_weights.size(), ", ",
                                     file.encoder, " gives ", encoder->dims()));
  }
  return std::make_shared<LocalRanker>(std::move(file), std::move(info), std::move(encoder));
}

}  // namespace atelier::rank
