// Adapters and the objectives of tuning against Hugging Face's PEFT and TRL (tests/golden/tune, tools/golden_tune.py):
// the same weights, the same batch, the same loss and gradients.
#include <gtest/gtest.h>

#include "artefact/adapter.h"
#include "artefact/safetensors.h"
#include "base/json.h"
#include "base/str.h"
#include "kernel/select.h"
#include "model/pretrained.h"
#include "runtime/golden_model.h"
#include "runtime/merge.h"

namespace atelier::model {
namespace {

const std::string kFolder = Cat(ATELIER_SOURCE_DIR, "/tests/golden/tune/");

Json Cases() { return ParseJson(ReadFile(kFolder + "cases.json"), "cases.json"); }

artefact::Adapter Read(const runtime::DecoderSpec& spec, const std::string& name) {
  return artefact::ReadAdapterPeft(kFolder + name, spec.architecture, spec.head_dim);
}

// PEFT's logits [positions, vocabulary], "unmerged" or "merged".
torch::Tensor PeftLogits(const std::string& name, int64_t vocabulary) {
  const auto file = artefact::SafetensorsFile::Open(kFolder + "logits.safetensors");
  const artefact::SafeTensor* tensor = file->Find(name);
  return torch::tensor(artefact::ToFloats(tensor->data, tensor->type)).view({-1, vocabulary});
}

ObjectiveConfig ObjectiveOf(const Json& one) {
  const std::string name = one["name"];
  std::string config = Cat("objective = \"", name.substr(0, name.find('_')), "\"");
  if (name == "distil") {
    config += Cat("\nteacher = \"the model itself\"\ntemperature = ", one["temperature"].get<double>(),
                  "\nlabel_weight = ", one["label_weight"].get<double>());
  }
  if (one.contains("chosen_weight")) config += Cat("\nchosen_weight = ", one["chosen_weight"].get<double>());
  Table table = Table::Parse(config, "test");
  return ReadObjective(table);
}

LoraConfig LoraOf(const Json& settings) {
  LoraConfig lora;
  lora.rank = settings["rank"], lora.alpha = settings["alpha"];
  return lora;
}

struct Row {
  std::vector<int64_t> prompt, reply;
};

Batch Lay(const std::vector<Row>& rows) {
  size_t longest = 0;
  for (const Row& row : rows) longest = std::max(longest, row.prompt.size() + row.reply.size() - 1);
  const auto n = static_cast<int64_t>(rows.size()), time = static_cast<int64_t>(longest);
  Batch batch;
  batch.inputs = torch::zeros({n, time}, torch::kInt64);
  batch.targets = torch::full({n, time}, kIgnored, torch::kInt64);
  batch.lengths = torch::empty({n}, torch::kInt64);
  for (int64_t i = 0; i < n; ++i) {
    std::vector<int64_t> all = rows[static_cast<size_t>(i)].prompt;
    const auto given = static_cast<int64_t>(all.size());
    all.insert(all.end(), rows[static_cast<size_t>(i)].reply.begin(), rows[static_cast<size_t>(i)].reply.end());
    const auto length = static_cast<int64_t>(all.size()) - 1;
    batch.lengths[i] = length;
    for (int64_t t = 0; t < length; ++t) {
      batch.inputs[i][t] = all[static_cast<size_t>(t)];
      if (t + 1 >= given) batch.targets[i][t] = all[static_cast<size_t>(t) + 1];
    }
  }
  return batch;
}

// The replies and scores that a case has, whatever the prompts.
Rollouts RolloutsOf(const Json& cases) {
  std::vector<Row> rows;
  std::vector<float> scores;
  for (const Json& group : cases["rollouts"]) {
    for (const Json& reply : group["replies"]) rows.push_back({group["prompt"], reply});
    for (const Json& score : group["scores"]) scores.push_back(score);
  }
  const auto groups = static_cast<int64_t>(cases["rollouts"].size());
  return {Lay(rows), torch::tensor(scores).view({groups, -1})};
}

Batch BatchOf(const Json& cases, const Json& one, DataKind data) {
  std::vector<Row> rows;
  if (data == DataKind::kPrompts) return RolloutsOf(cases).batch;
  if (data == DataKind::kJudged) {
    const std::vector<size_t> order = one["order"];
    std::vector<float> marks;
    for (const size_t i : order) {
      rows.push_back({cases["judged"][i]["prompt"], cases["judged"][i]["response"]});
      marks.push_back(cases["judged"][i]["wanted"].get<bool>() ? 1.0f : -1.0f);
    }
    for (size_t i = 0; i < order.size(); ++i)  // to each prompt the reply of the one behind it
      rows.push_back({rows[i].prompt, rows[(i + 1) % order.size()].reply});
    Batch batch = Lay(rows);
    batch.marks = torch::tensor(marks);
    return batch;
  }
  for (const Json& pair : cases["pairs"]) rows.push_back({pair["prompt"], pair["chosen"]});
  if (data == DataKind::kPreferences) {
    for (const Json& pair : cases["pairs"]) rows.push_back({pair["prompt"], pair["rejected"]});
  }
  return Lay(rows);
}

TEST(TuneGoldens, LossesAndGradientsAreTrls) {
  const Json cases = Cases();
  const auto file = runtime::OpenBytes(runtime::GoldenBytes("llama"));
  size_t tested = 0;
  for (const Json& one : cases["cases"]) {
    const std::string name = one["name"];
    if (name == "orpo_trl") continue;  // its likelihood is of prompts, too, which is not the paper's
    const ObjectiveConfig objective = ObjectiveOf(one);
    Pretrained model(file, LoraOf(cases["settings"]), objective);
    model.Load(Read(model.spec(), "adapter"));
    model.SetRollout([&](const Batch&, const artefact::Adapter&, uint64_t) { return RolloutsOf(cases); });
    if (name == "distil") model.SetTeacher(std::make_shared<Pretrained>(file, LoraConfig{.targets = {}}));
    const Batch batch = BatchOf(cases, one, objective.objective->data);
    const Loss loss = model.ComputeLoss(batch, 0, {});
    EXPECT_NEAR(loss.value.item<double>(), one["loss"].get<double>(), 2e-5 * std::abs(one["loss"].get<double>()))
        << name;
    if (name == "grpo")
      EXPECT_NEAR(loss.details.at("kl"), one["kl"].get<double>(), 2e-5 * one["kl"].get<double>())
          << "away from the reference";
    if (name == "distil") {
      for (const char* part : {"divergence", "labels"})
        EXPECT_NEAR(loss.details.at(part), one[part].get<double>(), 2e-5 * one[part].get<double>()) << part;
    }
    loss.value.backward();
    // Theirs, whose rows of q and k lie otherwise, read as an adapter.
    const artefact::Adapter wanted = Read(model.spec(), name);
    auto parameters = model.named_parameters();
    ASSERT_EQ(wanted.pairs.size() * 2, parameters.size());
    for (const artefact::LoraPair& pair : wanted.pairs) {
      const std::string layer = pair.tensor.substr(0, pair.tensor.rfind('.'));
      for (const bool first : {true, false}) {
        const torch::Tensor grad = parameters[layer + (first ? ".lora_a" : ".lora_b")].grad();
        const torch::Tensor golden = torch::tensor(first ? pair.a : pair.b).view_as(grad);
        const double greatest = golden.abs().max().item<double>();
        EXPECT_LT((grad - golden).abs().max().item<double>(), 1e-4 * greatest + 1e-7) << name << " " << layer << first;
      }
    }
    ++tested;
  }
  EXPECT_EQ(tested, 10u);
}

TEST(TuneGoldens, LogitsArePefts) {
  const auto file = runtime::OpenBytes(runtime::GoldenBytes("llama"));
  const runtime::DecoderSpec spec = runtime::ReadSpec(*file);
  const artefact::Adapter adapter = Read(spec, "adapter");
  const std::vector<int64_t> positions = file->Ints("golden.positions");
  std::vector<int32_t> tokens;
  for (const int64_t token : file->Ints("golden.tokens")) tokens.push_back(static_cast<int32_t>(token));
  const auto farthest = [&](const torch::Tensor& logits, const char* name) {
    return (logits - PeftLogits(name, spec.vocab)).abs().max().item<double>();
  };
  // As LibTorch computes it.
  {
    const torch::NoGradGuard no_gradient;
    Pretrained model(file, LoraOf(Cases()["settings"]));
    model.Load(adapter);
    model.eval();
    const torch::Tensor ids = torch::tensor(file->Ints("golden.tokens")).unsqueeze(0);
    const torch::Tensor logits = model.Logits(model.Hidden(ids)).squeeze(0);
    EXPECT_LT(farthest(logits.index_select(0, torch::tensor(positions)), "unmerged"), 1e-3);
  }
  // As the engine does: beside the matrices, and laid into them.
  const auto engine = [&](runtime::Decoder* decoder, const runtime::AdapterWeights* weights) {
    const torch::Tensor all = torch::empty({static_cast<int64_t>(tokens.size()), spec.vocab});
    runtime::Sequence sequence;
    const runtime::Chunk chunk{&sequence, tokens, 0, weights};
    decoder->Forward({&chunk, 1}, [&](size_t, size_t token, float* logits) {
      std::copy_n(logits, spec.vocab, all.data_ptr<float>() + static_cast<int64_t>(token) * spec.vocab);
    });
    return all.index_select(0, torch::tensor(positions));
  };
  const auto decoder = runtime::MakeDecoder(runtime::GoldenBytes("llama"), kernel::BestTable());
  const auto weights = runtime::PackAdapter(adapter, *file, spec);
  EXPECT_LT(farthest(engine(decoder.get(), weights.get()), "unmerged"), 1e-3);
  EXPECT_GT(farthest(engine(decoder.get(), nullptr), "unmerged"), 0.5) << "the adapter changes nothing";
  const std::string to = Cat(::testing::TempDir(), "/", getpid(), "-tune-golden.gguf");
  runtime::MergeAdapter(*file, adapter, {.format = kernel::Format::kF32, .name = "", .licence = "", .threads = 1}, to);
  const auto merged = runtime::MakeDecoder(ReadFile(to), kernel::BestTable());
  RemoveFile(to);
  EXPECT_LT(farthest(engine(merged.get(), nullptr), "merged"), 1e-3);
}

}  // namespace
}  // namespace atelier::model
