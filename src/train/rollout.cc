#include "train/rollout.h"

#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "base/process.h"
#include "base/str.h"
#include "train/reply_rows.h"

namespace atelier::train {
namespace {

std::vector<double> Scores(const std::string& output, size_t wanted, const std::string& program) {
  std::vector<double> scores;
  for (const std::string& line : Split(output, '\n')) {
    if (Trim(line).empty()) continue;
    const std::string text(Trim(line));
    char* end = nullptr;
    const double score = std::strtod(text.c_str(), &end);
    if (*end != '\0' || !std::isfinite(score)) {
      throw Error(Code::kInvalidInput, Cat("the scorer ", program, " says ", Quote(text, 80), ", which is no number"));
    }
    scores.push_back(score);
  }
  if (scores.size() != wanted) {
    throw Error(Code::kInvalidInput,
                Cat("the scorer ", program, " gave ", scores.size(), " scores to ", wanted, " replies"),
                "a line with a number for each line that it reads");
  }
  return scores;
}

}  // namespace

ScoreFn ScorerProgram(std::vector<std::string> argv) {
  return [argv = std::move(argv)](const std::vector<std::string>& records, const std::vector<std::string>& replies) {
    ProcessOptions options;
    for (size_t i = 0; i < replies.size(); ++i) {
      options.input += Cat("{\"record\":", records[i], ",\"reply\":", ToText(Json(replies[i])), "}\n");
    }
    const ProcessResult done = RunProcess(argv, options);
    if (done.exit_code != 0) {
      std::string said(Trim(done.error_text));  // its end says what went wrong
      if (said.size() > 300) said.erase(0, said.size() - 300);
      throw Error(Code::kInvalidInput,
                  Cat("the scorer ", argv[0], " ended with ", done.exit_code, ": ", Quote(said, 300)));
    }
    return Scores(done.output, replies.size(), argv[0]);
  };
}

model::RolloutFn MakeRollout(std::shared_ptr<PolicyEngine> engine, const RolloutSettings& settings, ScoreFn score) {
  return [=](const model::Batch& prompts, const artefact::Adapter& adapter, uint64_t seed) {
    const auto policy = engine->With(adapter);
    std::vector<artefact::GenerateRequest> requests;
    for (int64_t row = 0; row < prompts.rows(); ++row) {
      artefact::GenerateRequest request;
      const auto* tokens = prompts.inputs[row].data_ptr<int64_t>();
      request.prompt_tokens.assign(tokens, tokens + prompts.lengths[row].item<int64_t>());
      request.samples = static_cast<int>(settings.samples);
      request.max_tokens = static_cast<int>(settings.max_tokens);
      request.sampling.temperature = settings.temperature;
      request.seed = seed + static_cast<uint64_t>(row);
      requests.push_back(std::move(request));
    }
    const std::vector<artefact::GenerateResult> results = artefact::GenerateAll(*policy, requests);
    ReplyRows rows;
    std::vector<std::string> records, replies;
    for (size_t i = 0; i < results.size(); ++i) {
      for (const artefact::Generated& sample : results[i].samples) {
        ReplyTokens row;
        row.tokens = requests[i].prompt_tokens;
        row.tokens.insert(row.tokens.end(), sample.tokens.begin(), sample.tokens.end());
        if (sample.end_token >= 0) row.tokens.push_back(sample.end_token);
        row.learned.assign(row.tokens.size(), true);
        std::fill_n(row.learned.begin(), requests[i].prompt_tokens.size(), false);
        rows.Add(static_cast<int64_t>(i), row);
        records.push_back(prompts.records[i]);
        replies.push_back(sample.text);
      }
    }
    std::vector<int64_t> all(static_cast<size_t>(rows.size()));
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
    model::Rollouts out;
    out.batch = rows.Lay(all);
    out.scores = torch::tensor(score(records, replies), torch::kFloat64).view({prompts.rows(), settings.samples});
    return out;
  };
}

}  // namespace atelier::train
