#include "app/atelier/generate_learned.h"

#include <iostream>

#include "artefact/model_file.h"
#include "base/json.h"
#include "base/str.h"
#include "job/learner.h"

namespace atelier::app {

bool IsLearned(const artefact::ModelEntry& entry) { return artefact::EndingOf(entry.path) == ".safetensors"; }

void GenerateLearned(const artefact::ModelEntry& entry, const LearnedRequest& request, bool json) {
  std::vector<std::string> arguments;
  const auto say = [&](const char* name, const std::string& value) {
    arguments.emplace_back(name);
    arguments.push_back(value);
  };
  arguments.emplace_back(request.out.empty() ? "generate" : "pictures");
  say("--model", entry.path);
  say("--seed", Cat(request.seed));
  if (request.out.empty()) {
    say("--tokens", Cat(request.tokens));
    say("--samples", Cat(std::max<int64_t>(1, request.samples)));
    say("--temperature", Cat(request.temperature));
    say("--top-k", Cat(request.top_k));
  } else {
    say("--out", request.out);
    if (request.samples > 0) say("--count", Cat(request.samples));
    if (request.interpolate) arguments.emplace_back("--interpolate");
  }
  job::LearnerOptions options;
  options.background = false;
  options.input = request.prompt;
  Json done = job::RunLearner(arguments, options, nullptr);
  if (json) {
    done.erase("event");
    done["model"] = entry.name;
    std::cout << ToText(done) << "\n";
  } else if (!request.out.empty()) {
    std::cout << done["path"].get<std::string>() << "\n";
  } else {
    for (const Json& text : done["texts"]) std::cout << text.get<std::string>() << "\n";
  }
}

}  // namespace atelier::app
