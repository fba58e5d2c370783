#include "app/atelier/model_option.h"

#include "app/atelier/studio_here.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/str.h"
#include "runtime/local_generator.h"
#include "text/jinja.h"

namespace atelier::app {

void ModelOption::Declare(Cli& cli) {
  cli.Text("-m,--model", &model_, "a registered model or the path of a GGUF file", true);
  cli.Int("-t,--threads", &threads_, "threads; 0: as many as there are processors", 0, 256);
}

std::shared_ptr<artefact::Generator> ModelOption::Load(const Globals& globals) const {
  const artefact::ModelEntry entry = OpenHere(globals)->models->Resolve(model_);
  return runtime::LoadGenerator(entry.path, entry.name, entry.manifest.sha256, {.threads = static_cast<int>(threads_)});
}

std::string RenderChat(const artefact::Generator& model, const Json& messages) {
  const std::string source = model.ChatTemplate();
  if (source.empty()) {
    throw Error(Code::kUnsupported,
                Cat("the model ", Quote(model.info().name), " has no chat template: it continues texts"),
                "use `atelier generate` with the beginning of a text");
  }
  Json context = {{"messages", messages}, {"add_generation_prompt", true}};
  for (const auto& [name, text] : model.SpecialTokens()) context[name] = text;
  return text::Template::Parse(source, "chat template").Render(context);
}

}  // namespace atelier::app
