#include "app/atelier/generate_learned.h"

#include <iostream>

#include "artefact/model_file.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "job/learner.h"

namespace atelier::app {

bool IsLearned(const artefact::ModelEntry& entry) { return artefact::EndingOf(entry.path) == ".safetensors"; }

void GenerateLearned(const artefact::ModelEntry& entry, const LearnedRequest& request, bool json) {
  std::vector<std::string> arguments;
  if (!request.out.empty()) {
    arguments = {"pictures", "--model", entry.path, "--out", request.out, "--seed", Cat(request.seed)};
    if (request.samples > 1) arguments.insert(arguments.end(), {"--count", Cat(request.samples)});
    if (request.interpolate) arguments.emplace_back("--interpolate");
  } else {
    if (request.prompt.starts_with("--")) throw Error(Code::kUsage, "a prompt that begins with -- cannot be handed on");
    arguments = {
        "generate",          "--model",   entry.path,           "--prompt",      request.prompt,           "--tokens",
        Cat(request.tokens), "--samples", Cat(request.samples), "--temperature", Cat(request.temperature), "--top-k",
        Cat(request.top_k),  "--seed",    Cat(request.seed)};
  }
  Json done = job::RunLearner(arguments, {}, nullptr);
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
