#include "runtime/chat.h"

#include "base/error.h"
#include "base/str.h"
#include "text/jinja.h"

namespace atelier::runtime {

std::string RenderChat(const artefact::Generator& model, const Json& messages) {
  const std::string source = model.ChatTemplate();
  if (source.empty()) {
    throw Error(Code::kUnsupported,
                Cat("the model ", Quote(model.info().name), " has no chat template: it continues texts"),
                "give it the beginning of a text: atelier generate, or POST /v1/completions");
  }
  Json context = {{"messages", messages}, {"add_generation_prompt", true}};
  for (const auto& [name, text] : model.SpecialTokens()) context[name] = text;
  try {
    return text::Template::Parse(source, "chat template").Render(context);
  } catch (const Error& error) {  // its budget; trying again later will not help
    if (error.code() != Code::kResourceExhausted) throw;
    throw Error(Code::kUnsupported, error.what(), error.hint());
  }
}

}  // namespace atelier::runtime
