#include "operators/prompt.h"

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "text/jinja.h"

namespace atelier::operators {

std::string Prompt(artefact::Generator& model, const std::string& text, bool chat) {
  if (!chat) return text;
  const std::string source = model.ChatTemplate();
  if (source.empty())
    throw Error(Code::kInvalidInput, Cat("the model ", model.info().name, " has no chat template"), "set chat = false");
  const Json context = {{"messages", Json::array({{{"role", "user"}, {"content", text}}})},
                        {"add_generation_prompt", true},
                        {"bos_token", ""},
                        {"eos_token", ""}};
  return text::Template::Parse(source, "chat template").Render(context);
}

}  // namespace atelier::operators
