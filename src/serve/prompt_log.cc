#include "serve/prompt_log.h"

#include "base/log.h"
#include "base/str.h"

namespace atelier::serve {

void LogPrompts(const Context& context, const net::Request& request, const std::vector<std::string>& prompts) {
  if (!context.log_prompts) return;
  for (size_t i = 0; i < prompts.size(); ++i) {
    Log(LogLevel::kInfo, "prompt",
        {{"id", request.id}, {"number", Cat(i)}, {"bytes", Cat(prompts[i].size())}, {"text", prompts[i]}});
  }
}

void LogReplies(const Context& context, const net::Request& request,
                const std::vector<artefact::GenerateResult>& results) {
  if (!context.log_prompts) return;
  for (size_t i = 0; i < results.size(); ++i) {
    for (const artefact::Generated& sample : results[i].samples) {
      Log(LogLevel::kInfo, "reply",
          {{"id", request.id}, {"number", Cat(i)}, {"bytes", Cat(sample.text.size())}, {"text", sample.text}});
    }
  }
}

}  // namespace atelier::serve
