// Beam search against looking at everything, and against the same search written row by row.
#include "model/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/config.h"
#include "base/error.h"
#include "base/rng.h"
#include "model/seq2seq.h"
#include "model/transformer.h"

namespace atelier::model {
namespace {

constexpr int64_t kPadding = 0, kBegin = 1, kEnd = 2, kVocabulary = 6;

// Logits that are a function of the source and all tokens so far, and nothing else.
class Fixed : public Translator {
 public:
  torch::Tensor Logits(const Batch&) override { return {}; }
  DecoderState Encode(const torch::Tensor& source, const torch::Tensor& lengths) override {
    return {{source, lengths}, {torch::empty({source.size(0), 0}, torch::kInt64)}};
  }
  DecoderStep Step(const torch::Tensor& previous, DecoderState* state) override {
    ++steps;
    state->past[0] = torch::cat({state->past[0], previous.unsqueeze(1)}, 1);
    DecoderStep step{torch::empty({previous.size(0), kVocabulary}), torch::zeros(state->source[0].sizes())};
    for (int64_t row = 0; row < previous.size(0); ++row) {
      const int64_t length = state->source[1][row].item<int64_t>();
      Rng rng(5, Key(state->source[0][row].narrow(0, 0, length)) + "/" + Key(state->past[0][row]));
      for (int64_t i = 0; i < kVocabulary; ++i) step.logits[row][i] = 3 * rng.Uniform();
      // Attention tells which step and which token it belongs to.
      step.attention[row][0] = static_cast<double>(state->past[0].size(1)) + 0.01 * previous[row].item<double>();
    }
    return step;
  }
  int64_t context() const override { return 100; }
  int64_t steps = 0;

 private:
  static std::string Key(const torch::Tensor& ids) {
    std::string key;
    for (int64_t i = 0; i < ids.numel(); ++i) key += std::to_string(ids[i].item<int64_t>()) + ",";
    return key;
  }
};

torch::Tensor Source() { return torch::tensor({{3, 4, 5}, {4, 0, 0}, {5, 5, 0}}); }
torch::Tensor Lengths() { return torch::tensor({3, 1, 2}); }

BeamOptions Options(int64_t width, double penalty, int64_t longest) {
  return {width, penalty, longest, kBegin, kEnd, {kPadding, kBegin}};
}

double Score(double log_probability, size_t tokens, double penalty) {
  return log_probability / std::pow((5.0 + static_cast<double>(tokens)) / 6.0, penalty);
}

// Log-probabilities of the next token of one row, asked of the model by itself.
std::vector<double> Next(Translator& model, int64_t row, const std::vector<int64_t>& tokens) {
  const torch::NoGradGuard no_gradient;
  DecoderState state = model.Encode(Source().narrow(0, row, 1), Lengths().narrow(0, row, 1));
  torch::Tensor logits = model.Step(torch::tensor({kBegin}), &state).logits;
  for (const int64_t token : tokens) logits = model.Step(torch::tensor({token}), &state).logits;
  const torch::Tensor next = logits[0].to(torch::kFloat64).log_softmax(-1);
  return {next.data_ptr<double>(), next.data_ptr<double>() + next.numel()};
}

struct Found {
  std::vector<int64_t> tokens;
  double log_probability = 0, score = 0;
};

// Every sequence of at most `longest` tokens.
void Everything(Translator& model, int64_t row, double penalty, int64_t longest, const Found& so_far,
                std::vector<Found>* all) {
  const std::vector<double> next = Next(model, row, so_far.tokens);
  Found ended = so_far;
  ended.log_probability += next[kEnd];
  ended.score = Score(ended.log_probability, ended.tokens.size() + 1, penalty);
  all->push_back(ended);
  if (static_cast<int64_t>(so_far.tokens.size()) == longest) return;
  for (int64_t token = 3; token < kVocabulary; ++token) {
    Found longer = so_far;
    longer.tokens.push_back(token);
    longer.log_probability += next[static_cast<size_t>(token)];
    Everything(model, row, penalty, longest, longer, all);
  }
}

void Sort(std::vector<Found>* found, size_t most) {
  std::sort(found->begin(), found->end(), [](const Found& a, const Found& b) { return a.score > b.score; });
  found->resize(std::min(found->size(), most));
}

// The search of the header for one source, without a bound that ends it early.
std::vector<Found> Plain(Translator& model, int64_t row, const BeamOptions& o) {
  std::vector<Found> living{{}}, ended;
  for (int64_t time = 1; time <= o.longest + 1 && !living.empty(); ++time) {
    std::vector<std::pair<Found, bool>> candidates;
    for (const Found& beam : living) {
      const std::vector<double> next = Next(model, row, beam.tokens);
      for (int64_t token = kEnd; token < kVocabulary; ++token) {
        if (time == o.longest + 1 && token != kEnd) continue;
        Found one = beam;
        one.log_probability += next[static_cast<size_t>(token)];
        if (token != kEnd) one.tokens.push_back(token);
        candidates.emplace_back(one, token == kEnd);
      }
    }
    std::sort(candidates.begin(), candidates.end(),
              [](const auto& a, const auto& b) { return a.first.log_probability > b.first.log_probability; });
    candidates.resize(std::min(candidates.size(), static_cast<size_t>(2 * o.width)));
    living.clear();
    for (auto& [one, ends] : candidates) {
      one.score = Score(one.log_probability, static_cast<size_t>(time), o.length_penalty);
      if (ends) {
        ended.push_back(one);
      } else if (static_cast<int64_t>(living.size()) < o.width) {
        living.push_back(one);
      }
    }
  }
  Sort(&ended, static_cast<size_t>(o.width));
  return ended;
}

void ExpectEqual(const std::vector<Hypothesis>& got, const std::vector<Found>& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].tokens, expected[i].tokens) << what << ", hypothesis " << i;
    EXPECT_NEAR(got[i].log_probability, expected[i].log_probability, 1e-5) << what;
    EXPECT_NEAR(got[i].score, expected[i].score, 1e-5) << what;
  }
}

TEST(BeamSearch, FindsTheBestOfAllWhenItIsWideEnough) {
  Fixed model;
  for (const double penalty : {0.0, 0.6, 2.0}) {
    constexpr int64_t kWidth = 81;  // 3 words, 4 times: nothing falls out
    const auto got = BeamSearch(model, Source(), Lengths(), Options(kWidth, penalty, 4));
    ASSERT_EQ(got.size(), 3u);
    for (int64_t row = 0; row < 3; ++row) {
      std::vector<Found> all;
      Everything(model, row, penalty, 4, {}, &all);
      ASSERT_EQ(all.size(), 121u);
      Sort(&all, kWidth);
      ExpectEqual(got[static_cast<size_t>(row)], all, "row " + std::to_string(row));
    }
  }
}

TEST(BeamSearch, IsTheSearchOfTheHeaderForEveryWidth) {
  Fixed model;
  for (const int64_t width : {1, 2, 3, 7}) {
    for (const double penalty : {0.0, 1.0}) {
      const BeamOptions options = Options(width, penalty, 6);
      const auto got = BeamSearch(model, Source(), Lengths(), options);
      for (int64_t row = 0; row < 3; ++row) {
        ExpectEqual(got[static_cast<size_t>(row)], Plain(model, row, options),
                    "width " + std::to_string(width) + ", row " + std::to_string(row));
      }
    }
  }
}

TEST(BeamSearch, KeepsTheAttentionOfEachHypothesisOverItsOwnSource) {
  Fixed model;
  const auto got = BeamSearch(model, Source(), Lengths(), Options(5, 0.6, 5));
  for (int64_t row = 0; row < 3; ++row) {
    for (const Hypothesis& one : got[static_cast<size_t>(row)]) {
      ASSERT_EQ(one.attention.size(0), static_cast<int64_t>(one.tokens.size()) + 1);
      ASSERT_EQ(one.attention.size(1), Lengths()[row].item<int64_t>());
      for (int64_t t = 0; t < one.attention.size(0); ++t) {
        const int64_t before = t == 0 ? kBegin : one.tokens[static_cast<size_t>(t - 1)];
        EXPECT_NEAR(one.attention[t][0].item<double>(), static_cast<double>(t + 1) + 0.01 * static_cast<double>(before),
                    1e-5);
      }
    }
  }
}

// Ends as soon as nothing can get better: with an end mark that is all but certain, after one step or two.
class Certain : public Fixed {
 public:
  DecoderStep Step(const torch::Tensor& previous, DecoderState* state) override {
    DecoderStep step = Fixed::Step(previous, state);
    step.logits.select(1, kEnd).fill_(50);
    return step;
  }
};

TEST(BeamSearch, StopsWhenNothingCanGetBetter) {
  Certain model;
  const auto got = BeamSearch(model, Source(), Lengths(), Options(1, 0.6, 90));
  EXPECT_TRUE(got[0][0].tokens.empty());
  EXPECT_LE(model.steps, 2);
}

TEST(BeamSearch, RefusesOptionsThatContradictEachOther) {
  Fixed model;
  EXPECT_THROW(BeamSearch(model, Source(), Lengths(), Options(0, 0.6, 5)), Error);
  EXPECT_THROW(BeamSearch(model, Source(), Lengths(), Options(1, -0.1, 5)), Error);
  EXPECT_THROW(BeamSearch(model, Source(), Lengths(), Options(1, 0.6, 0)), Error);
}

// The two architectures. What lies behind a source's end must not matter, nor what else is in the batch; and step by
// step they must give what they give at once.
std::shared_ptr<Translator> Make(const std::string& config) {
  at::set_num_threads(1);
  torch::manual_seed(3);
  DataShape shape;
  shape.vocabulary = shape.source_vocabulary = kVocabulary;
  shape.sequence_length = 12;
  Table table = Table::Parse(config, "test");
  const std::string name = table.String("architecture");
  std::shared_ptr<Translator> model;
  if (name == "transformer") {
    model = std::make_shared<Transformer>(ReadTransformerConfig(table, shape));
  } else {
    model = std::make_shared<Seq2Seq>(ReadSeq2SeqConfig(table, shape));
  }
  table.Done();
  const torch::NoGradGuard no_gradient;
  for (torch::Tensor& p : model->parameters()) p.normal_(0, 0.5);  // far from even
  model->eval();
  return model;
}

const std::vector<std::string> kConfigs = {
    "architecture = \"seq2seq\"\nembedding = 5\nwidth = 6\nlayers = 2\ndropout = 0.5\n",
    "architecture = \"seq2seq\"\nembedding = 5\nwidth = 6\nattention = \"luong\"\n",
    "architecture = \"seq2seq\"\nembedding = 5\nwidth = 6\nattention = \"luong-dot\"\ninput_feeding = false\n",
    "architecture = \"transformer\"\nwidth = 8\nheads = 2\nhidden = 9\ndropout = 0.5\n",
    "architecture = \"transformer\"\nwidth = 8\nheads = 2\nhidden = 9\nnorm = \"post\"\npositions = \"learned\"\n",
};

TEST(Translators, GiveStepByStepWhatTheyGiveAtOnce) {
  const torch::NoGradGuard no_gradient;
  for (const std::string& config : kConfigs) {
    const auto model = Make(config);
    Batch batch;
    batch.source = Source();
    batch.source_lengths = Lengths();
    batch.inputs = torch::tensor({{1, 3, 5, 4}, {1, 4, 4, 0}, {1, 5, 3, 3}});
    const torch::Tensor at_once = model->Logits(batch);
    DecoderState state = model->Encode(batch.source, batch.source_lengths);
    for (int64_t t = 0; t < 4; ++t) {
      const DecoderStep step = model->Step(batch.inputs.select(1, t), &state);
      EXPECT_LT((step.logits - at_once.select(1, t)).abs().max().item<double>(), 1e-5) << config << "step " << t;
      EXPECT_LT((step.attention.sum(-1) - 1).abs().max().item<double>(), 1e-5) << config;
      EXPECT_EQ(step.attention.masked_select(Behind(Lengths(), 3)).abs().max().item<double>(), 0) << config;
    }
  }
}

TEST(Translators, SeeNothingBehindASourcesEnd) {
  const torch::NoGradGuard no_gradient;
  for (const std::string& config : kConfigs) {
    const auto model = Make(config);
    const auto all = BeamSearch(*model, Source(), Lengths(), Options(3, 0.6, 5));
    for (int64_t row = 0; row < 3; ++row) {
      const int64_t length = Lengths()[row].item<int64_t>();
      const auto alone = BeamSearch(*model, Source().narrow(0, row, 1).narrow(1, 0, length),
                                    Lengths().narrow(0, row, 1), Options(3, 0.6, 5));
      for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(all[static_cast<size_t>(row)][i].tokens, alone[0][i].tokens) << config << "row " << row;
        EXPECT_NEAR(all[static_cast<size_t>(row)][i].score, alone[0][i].score, 1e-5) << config << "row " << row;
      }
    }
  }
}

TEST(Translators, SearchAsPlainSearchDoes) {
  for (const std::string& config : kConfigs) {
    const auto model = Make(config);
    const BeamOptions options = Options(4, 0.6, 5);
    const auto got = BeamSearch(*model, Source(), Lengths(), options);
    for (int64_t row = 0; row < 3; ++row) {
      ExpectEqual(got[static_cast<size_t>(row)], Plain(*model, row, options), config);
    }
  }
}

TEST(Translators, RefuseShapesThatCannotBe) {
  for (const char* config :
       {"architecture = \"seq2seq\"\nwidth = 7\n", "architecture = \"seq2seq\"\nattention = \"x\"\n",
        "architecture = \"seq2seq\"\nwidth = 8\ntied = true\n",
        "architecture = \"seq2seq\"\ninput_feeding = true\n",  // bahdanau has no such key
        "architecture = \"transformer\"\nwidth = 9\nheads = 3\n",
        "architecture = \"transformer\"\nwidth = 8\nheads = 3\n", "architecture = \"transformer\"\nnorm = \"none\"\n",
        "architecture = \"transformer\"\npositions = \"learned\"\ncontext = 3\n",
        "architecture = \"transformer\"\ncontext = 300\n"}) {
    EXPECT_THROW(Make(config), Error) << config;
  }
}

}  // namespace
}  // namespace atelier::model
