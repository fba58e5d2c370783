#include "rank/learn.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "evaluate/embed_texts.h"
#include "rank/calibrate.h"
#include "rank/design.h"
#include "rank/features.h"
#include "rank/split.h"

namespace atelier::rank {
namespace {

// Of weights of standardised columns in a mean loss: at 1 hardly anything is learned, at the end next to nothing is
// held back.
constexpr double kFeatureStrengths[] = {1, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4};
constexpr double kVectorStrengths[] = {30, 10, 3, 1, 0.3, 0.1, 0.03, 0.01, 3e-3};
constexpr size_t kFolds = 5;
// Steep enough to be quick; the losses are then off by some 1e-5, a hundredth of what they err by.
constexpr double kTrySlope = 1e-5;
constexpr int kWorse = 3;  // settings in a row that are worse than the best: weaker ones will be, too

// What one setting of the penalties comes to on the folds' own choices.
struct Tried {
  Penalty penalty;
  bool vectors = false;
  std::vector<double> losses;               // [choices]
  std::vector<std::vector<double>> scores;  // [choices][options]
};

class Learner {
 public:
  Learner(const Choices& data, const Choices* validation, artefact::Embedder* encoder, const LearnOptions& options)
      : choices_(data.list), encoder_(encoder), options_(options) {
    for (const Choice& choice : choices_) groups_.push_back(choice.group);
    Split(validation);
  }

  Learned Run() {
    ReadFeatures();
    if (encoder_ != nullptr) ReadVectors();
    if (design_.narrow + design_.wide == 0) {
      throw Error(Code::kInvalidInput, "nothing tells the options apart: every feature is the same for all of a choice",
                  "declare others with --features, or name an --encoder");
    }
    const Tried chosen = Choose();
    Finish(chosen);
    return std::move(out_);
  }

 private:
  void Say(std::string en, std::string zh) { out_.notes.push_back({std::move(en), std::move(zh)}); }

  void Split(const Choices* validation) {
    const size_t groups = CountGroups(groups_), least = validation == nullptr ? 3 : 2;
    if (groups < least) {
      throw Error(Code::kInvalidInput,
                  Cat("the choices are of ", groups, groups == 1 ? " group" : " groups", "; at least ", least,
                      " are needed, since a group is not parted between what is learned and what is held out"),
                  "choices of more readers or records; or leave `group` out");
    }
    held_.assign(choices_.size(), false);
    if (validation == nullptr) {
      held_ = HoldOut(groups_, options_.held_out, options_.seed);
    } else {
      for (const Choice& choice : validation->list) {
        choices_.push_back(choice);
        held_.push_back(true);
      }
      groups_.clear();
      for (const Choice& choice : choices_) groups_.push_back(choice.group);
    }
    design_.first = {0};
    for (size_t i = 0; i < choices_.size(); ++i) {
      (held_[i] ? tested_ : learned_).push_back(i);
      design_.weights.push_back(choices_[i].weight);
      design_.gains.insert(design_.gains.end(), choices_[i].gains.begin(), choices_[i].gains.end());
      design_.first.push_back(design_.gains.size());
    }
  }

  // What is asked for; by default all that is computed, and all that every option brings.
  std::vector<std::string> FeatureNames() {
    if (!options_.use_features) return {};
    std::map<std::string, size_t> brought;
    for (const Choice& choice : choices_) {
      for (const artefact::RankOption& option : choice.options) {
        for (const auto& [name, value] : option.features) ++brought[name];
      }
    }
    std::vector<std::string> names = options_.features;
    if (names.empty()) {
      for (const Feature& feature : AllFeatures()) names.emplace_back(feature.name);
      for (const auto& [name, count] : brought) {
        if (FindFeature(name) != nullptr) continue;
        if (count == design_.rows()) {
          names.push_back(name);
        } else {
          Say(Cat("the feature ", name, " is left out: ", design_.rows() - count, " of ", design_.rows(),
                  " options do not bring it"),
              Cat("特征 ", name, " 不用：", design_.rows(), " 个选项中有 ", design_.rows() - count, " 个没有给出"));
        }
      }
    }
    for (const std::string& name : names) {
      if (FindFeature(name) == nullptr || !brought.contains(name)) continue;
      Say(Cat("the feature ", name, " that options bring is computed from their texts instead"),
          Cat("选项自带的特征 ", name, " 不采用，改由文本计算"));
    }
    std::vector<std::string> known;
    for (const Feature& feature : AllFeatures()) known.emplace_back(feature.name);
    for (const auto& [name, count] : brought) known.push_back(name);
    std::set<std::string> once;
    for (const std::string& name : names) {
      if (!once.insert(name).second) throw Error(Code::kUsage, Cat("the feature ", Quote(name), " is named twice"));
      if (FindFeature(name) != nullptr || brought.contains(name)) continue;
      const std::string near = Nearest(name, known);
      throw Error(Code::kInvalidInput, Cat("no feature is named ", Quote(name), ", and no option brings one"),
                  near.empty() ? Cat("there are ", Join(known, ", ")) : Cat("did you mean ", near, "?"));
    }
    return names;
  }

  // Root of the mean square distance from the mean of its choice, over rows of learned choices: what differs between
  // choices alone says nothing about what is preferred. `column` gives a row's number.
  template <typename Fn>
  double Within(const Fn& column) const {
    double squares = 0, rows = 0;
    for (const size_t choice : learned_) {
      const size_t begin = design_.first[choice], end = design_.first[choice + 1];
      double mean = 0;
      for (size_t row = begin; row < end; ++row) mean += column(row);
      mean /= static_cast<double>(end - begin);
      for (size_t row = begin; row < end; ++row) squares += (column(row) - mean) * (column(row) - mean);
      rows += static_cast<double>(end - begin);
    }
    return std::sqrt(squares / rows);
  }

  void ReadFeatures() {
    std::vector<std::vector<double>> columns;
    std::vector<std::string> alike;
    for (const std::string& name : FeatureNames()) {
      std::vector<double> column;
      column.reserve(design_.rows());
      for (const Choice& choice : choices_) {
        try {
          for (const artefact::RankOption& option : choice.options)
            column.push_back(FeatureOf(name, option, choice.context));
        } catch (const Error& e) {
          throw e.Within(Cat("line ", choice.line));
        }
      }
      double mean = 0, rows = 0;
      for (const size_t choice : learned_) {
        for (size_t row = design_.first[choice]; row < design_.first[choice + 1]; ++row, ++rows) mean += column[row];
      }
      mean /= rows;
      const double deviation = Within([&](size_t row) { return column[row]; });
      if (deviation <= 1e-9 * (1 + std::fabs(mean))) {
        alike.push_back(name);
        continue;
      }
      out_.file.features.push_back({name, mean, deviation, 0});
      for (double& value : column) value = (value - mean) / deviation;
      columns.push_back(std::move(column));
    }
    if (!alike.empty() && !options_.features.empty()) {
      Say(Cat("left out, since all options of every choice are alike in it: ", Join(alike, ", ")),
          Cat("每次选择中各选项都相同，不用：", Join(alike, "、")));
    }
    design_.narrow = columns.size();
    design_.features.resize(design_.rows() * design_.narrow);
    for (size_t row = 0; row < design_.rows(); ++row) {
      for (size_t i = 0; i < design_.narrow; ++i) design_.features[row * design_.narrow + i] = columns[i][row];
    }
  }

  // Texts' vectors, and the products with their contexts'; each block brought to a mean variance of 1 within choices.
  void ReadVectors() {
    std::vector<std::string> contexts;
    std::vector<std::string_view> texts;
    for (const Choice& choice : choices_) {
      contexts.push_back(ContextText(choice.context));
      for (const artefact::RankOption& option : choice.options) texts.push_back(option.text);
    }
    const auto dims = static_cast<size_t>(encoder_->dims());
    const std::vector<float> of_texts = evaluate::EmbedTexts(*encoder_, texts, options_.progress, &out_.cut);
    design_.wide = dims;
    std::vector<float> of_contexts(options_.product ? choices_.size() * dims : 0, 0.0f);
    if (options_.product) {
      design_.wide = 2 * dims;
      std::vector<std::string_view> about;
      std::vector<size_t> whose;
      for (size_t i = 0; i < contexts.size(); ++i) {
        if (contexts[i].empty()) continue;
        about.push_back(contexts[i]);
        whose.push_back(i);
      }
      if (about.empty()) {
        throw Error(Code::kInvalidInput, "no choice has a context, so that there is nothing to multiply with",
                    "leave --product out");
      }
      const std::vector<float> some = evaluate::EmbedTexts(*encoder_, about, options_.progress, &out_.cut);
      for (size_t i = 0; i < whose.size(); ++i)
        std::copy_n(some.data() + i * dims, dims, of_contexts.data() + whose[i] * dims);
    }
    design_.vectors.resize(design_.rows() * design_.wide);
    for (size_t choice = 0; choice < choices_.size(); ++choice) {
      for (size_t row = design_.first[choice]; row < design_.first[choice + 1]; ++row) {
        float* to = design_.vectors.data() + row * design_.wide;
        std::copy_n(of_texts.data() + row * dims, dims, to);
        for (size_t d = 0; d < dims && options_.product; ++d) to[dims + d] = to[d] * of_contexts[choice * dims + d];
      }
    }
    for (size_t begin = 0; begin < design_.wide; begin += dims) {
      double variance = 0;
      for (size_t d = begin; d < begin + dims; ++d) {
        const double one =
            Within([&](size_t row) { return static_cast<double>(design_.vectors[row * design_.wide + d]); });
        variance += one * one / static_cast<double>(dims);
      }
      const double scale = variance > 1e-20 ? std::sqrt(variance) : 1;  // equal texts: their weights stay 0
      scales_.push_back(scale);
      for (size_t row = 0; row < design_.rows(); ++row) {
        for (size_t d = begin; d < begin + dims; ++d)
          design_.vectors[row * design_.wide + d] /= static_cast<float>(scale);
      }
    }
  }

  // One setting on every fold, from `starts` [folds], which become the weights that were found.
  Tried Try(const Penalty& penalty, bool vectors, std::vector<std::vector<double>>* starts) {
    std::vector<std::vector<double>> fits(starts->size());
    ThreadPool pool(std::min(ThreadPool::DefaultThreads(), static_cast<int>(fits.size())));
    pool.Run([&](int thread) {
      for (auto fold = static_cast<size_t>(thread); fold < fits.size(); fold += static_cast<size_t>(pool.size())) {
        std::vector<size_t> others;
        for (size_t i = 0; i < learned_.size(); ++i) {
          if (folds_[i] != fold) others.push_back(learned_[i]);
        }
        fits[fold] = Fit(design_, others, options_.loss, penalty, (*starts)[fold], kTrySlope);
      }
    });
    Tried tried{penalty, vectors, {}, {}};
    for (size_t i = 0; i < learned_.size(); ++i) {
      tried.scores.push_back(ScoresOf(design_, learned_[i], fits[folds_[i]]));
      std::vector<double> slope(tried.scores.back().size());
      tried.losses.push_back(LossOf(options_.loss, tried.scores.back(), GainsOf(design_, learned_[i]), slope));
    }
    *starts = std::move(fits);
    if (options_.progress)
      options_.progress(++tries_, std::size(kFeatureStrengths) + (design_.wide > 0 ? std::size(kVectorStrengths) : 0),
                        "");
    return tried;
  }

  double MeanLoss(const Tried& tried) const {
    double sum = 0, total = 0;
    for (size_t i = 0; i < learned_.size(); ++i) {
      sum += design_.weights[learned_[i]] * tried.losses[i];
      total += design_.weights[learned_[i]];
    }
    return sum / total;
  }

  // Tries strengths, the greatest first, until it gets worse; `found` has the weights of the folds after each.
  template <typename PenaltyFn>
  std::vector<Tried> TryAll(std::span<const double> strengths, bool vectors, const PenaltyFn& penalty,
                            std::vector<std::vector<double>> starts,
                            std::vector<std::vector<std::vector<double>>>* found) {
    std::vector<Tried> tried;
    double least = INFINITY;
    int worse = 0;
    for (const double strength : strengths) {
      tried.push_back(Try(penalty(strength), vectors, &starts));
      found->push_back(starts);
      const double loss = MeanLoss(tried.back());
      worse = loss < least ? 0 : worse + 1;
      least = std::min(least, loss);
      if (worse == kWorse) break;
    }
    return tried;
  }

  size_t Simplest(const std::vector<Tried>& tried, double errors) const {
    std::vector<std::vector<double>> losses;
    for (const Tried& one : tried) losses.push_back(one.losses);
    std::vector<double> weights;
    for (const size_t choice : learned_) weights.push_back(design_.weights[choice]);
    return SimplestNearBest(losses, weights, learned_groups_, errors);
  }

  Tried Choose() {
    for (const size_t choice : learned_) learned_groups_.push_back(groups_[choice]);
    const size_t folds = std::min(kFolds, CountGroups(learned_groups_));
    folds_ = Folds(learned_groups_, folds, options_.seed + 1);
    std::vector<std::vector<double>> starts(folds, std::vector<double>(design_.narrow, 0.0));
    std::vector<std::vector<std::vector<double>>> found;
    std::optional<Tried> plain;
    if (design_.narrow > 0) {
      std::vector<Tried> tried = TryAll(
          kFeatureStrengths, false,
          [](double strength) {
            return Penalty{strength, 0};
          },
          starts, &found);
      const size_t simplest = Simplest(tried, 1);
      plain = std::move(tried[simplest]);
      starts = found[simplest];
    }
    if (design_.wide == 0) return *std::move(plain);
    for (std::vector<double>& start : starts) start.resize(design_.narrow + design_.wide, 0.0);
    const double of_features = plain ? plain->penalty.features : 0;
    std::vector<Tried> tried = TryAll(
        kVectorStrengths, true,
        [&](double strength) {
          return Penalty{of_features, strength};
        },
        starts, &found);
    Tried best = std::move(tried[Simplest(tried, 1)]);
    // The best of many always seems a little better: an encoder has to be so beyond doubt.
    return plain && Simplest({*plain, best}, 2) == 0 ? *std::move(plain) : best;
  }

  void Finish(const Tried& chosen) {
    std::vector<JudgedPair> pairs;
    for (size_t i = 0; i < learned_.size(); ++i)
      AppendPairs(chosen.scores[i], GainsOf(design_, learned_[i]), design_.weights[learned_[i]], &pairs);
    artefact::RankerFile& file = out_.file;
    file.loss = Name(options_.loss);
    file.l2 = chosen.penalty.features;
    file.temperature = FitTemperature(pairs);
    const std::vector<double> weights =
        Fit(design_, learned_, options_.loss, chosen.penalty,
            std::vector<double>(design_.narrow + (chosen.vectors ? design_.wide : 0), 0.0));
    for (size_t i = 0; i < design_.narrow; ++i) file.features[i].weight = weights[i];
    if (chosen.vectors) {
      const auto dims = static_cast<size_t>(encoder_->dims());
      file.encoder = encoder_->info().name;
      file.encoder_sha256 = encoder_->info().hash;
      file.encoder_l2 = chosen.penalty.vectors;
      for (size_t d = 0; d < design_.wide; ++d)
        (d < dims ? file.text_weights : file.product_weights)
            .push_back(weights[design_.narrow + d] / scales_[d / dims]);
    } else if (encoder_ != nullptr) {
      Say(Cat("the vectors of ", encoder_->info().name,
              " do not help on choices that were not learned from, and are left out"),
          Cat(encoder_->info().name, " 的向量对未学过的选择没有帮助，不采用"));
    }
    Influences(weights);
    Test(weights);
    out_.choices = learned_.size();
    out_.groups = CountGroups(learned_groups_);
    for (const size_t choice : learned_) out_.options += choices_[choice].options.size();
    if (file.temperature <= 1.1e-3)
      Say("nothing about these choices could be predicted: the ranker is a coin",
          "这些选择中没有可预测的规律：排序器等于抛硬币");
    file.trained = ToJson(out_);
  }

  void Influences(const std::vector<double>& weights) {
    const double temperature = out_.file.temperature;
    for (const artefact::RankerFeature& feature : out_.file.features)
      out_.influences.push_back({feature.name, feature.mean, feature.deviation, temperature * feature.weight});
    std::stable_sort(out_.influences.begin(), out_.influences.end(),
                     [](const Influence& a, const Influence& b) { return std::fabs(a.effect) > std::fabs(b.effect); });
    if (weights.size() == design_.narrow) return;
    std::vector<double> said(design_.rows(), 0.0);
    for (size_t row = 0; row < design_.rows(); ++row) {
      for (size_t d = 0; d < design_.wide; ++d)
        said[row] += weights[design_.narrow + d] * static_cast<double>(design_.vectors[row * design_.wide + d]);
    }
    out_.encoder_effect = temperature * Within([&](size_t row) { return said[row]; });
  }

  void Test(const std::vector<double>& weights) {
    HeldOut& held = out_.held_out;
    std::vector<Choice> choices;
    std::vector<std::vector<double>> scores, first, longest;
    std::vector<JudgedPair> pairs;
    std::vector<std::string> groups;
    for (const size_t index : tested_) {
      const Choice& choice = choices_[index];
      choices.push_back(choice);
      groups.push_back(choice.group);
      scores.push_back(ScoresOf(design_, index, weights));
      AppendPairs(scores.back(), choice.gains, choice.weight, &pairs);
      first.emplace_back();
      longest.emplace_back();
      for (size_t i = 0; i < choice.options.size(); ++i) {
        first.back().push_back(-static_cast<double>(i));
        longest.back().push_back(FeatureOf("length", choice.options[i], choice.context));
      }
    }
    held.choices = choices.size();
    held.groups = CountGroups(groups);
    held.pairs = pairs.size();
    held.ranker = MeasureOrder("ranker", choices, scores);
    held.baselines = {MeasureRandom(choices), MeasureOrder("first shown", choices, first),
                      MeasureOrder("longest", choices, longest)};
    const double temperature = out_.file.temperature;
    held.loss = PairLoss(pairs, temperature);
    held.error_before = evaluate::ExpectedCalibrationError(PairBins(pairs, 1));
    held.bins = PairBins(pairs, temperature);
    held.error_after = evaluate::ExpectedCalibrationError(held.bins);
  }

  std::vector<Choice> choices_;  // those to learn from, then those of the validation
  artefact::Embedder* encoder_;
  const LearnOptions& options_;
  std::vector<std::string> groups_;  // [choices]
  std::vector<bool> held_;
  std::vector<size_t> learned_, tested_;
  std::vector<std::string> learned_groups_;
  std::vector<size_t> folds_;   // [learned]
  std::vector<double> scales_;  // [blocks of vectors]
  uint64_t tries_ = 0;
  Design design_;
  Learned out_;
};

Json NumberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json OrderJson(const Order& order) {
  return {{"pair_accuracy", order.accuracy},
          {"standard_error", NumberOrNull(order.error)},
          {"ndcg", order.ndcg},
          {"mrr", order.mrr}};
}

}  // namespace

Learned Learn(const Choices& data, const Choices* validation, artefact::Embedder* encoder,
              const LearnOptions& options) {
  if (validation != nullptr) RefuseSharedGroups(data, *validation);
  return Learner(data, validation, encoder, options).Run();
}

Json ToJson(const Learned& learned) {
  const HeldOut& held = learned.held_out;
  Json influences = Json::array(), bins = Json::array();
  for (const Influence& one : learned.influences)
    influences.push_back(
        {{"feature", one.name}, {"mean", one.mean}, {"deviation", one.deviation}, {"effect", one.effect}});
  for (const evaluate::ReliabilityBin& bin : held.bins)
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"count", bin.count},
                    {"predicted", bin.predicted},
                    {"observed", bin.observed}});
  Json baselines = Json::object();
  for (const Order& order : held.baselines) baselines[ReplaceAll(order.name, " ", "_")] = OrderJson(order);
  return {{"choices", learned.choices},
          {"groups", learned.groups},
          {"options", learned.options},
          {"influences", influences},
          {"encoder_effect", learned.file.encoder.empty() ? Json() : Json(learned.encoder_effect)},
          {"held_out",
           {{"choices", held.choices},
            {"groups", held.groups},
            {"pairs", held.pairs},
            {"ranker", OrderJson(held.ranker)},
            {"baselines", baselines},
            {"pair_log_loss", held.loss},
            {"calibration_error_before", held.error_before},
            {"calibration_error_after", held.error_after},
            {"bins", bins}}}};
}

}  // namespace atelier::rank
