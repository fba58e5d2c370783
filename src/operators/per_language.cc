#include "operators/per_language.h"

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

namespace atelier::operators {

PerLanguage ReadPerLanguage(Table& table, std::string_view key) {
  Table values = table.Sub(key);
  PerLanguage out;
  for (const std::string& lang : values.Keys()) {
    if (lang != "zh" && lang != "en") values.Refuse(lang, "is not a language known here", "zh and en are");
    out[lang] = values.String(lang);
    if (out[lang].empty()) values.Refuse(lang, "is empty");
  }
  if (out.empty()) table.Refuse(key, "is empty", Cat(key, " = { zh = \"...\", en = \"...\" }"));
  return out;
}

std::map<std::string, text::Template> ReadTemplates(Table& table, std::string_view key,
                                                    const recipe::StepContext& context) {
  std::map<std::string, text::Template> out;
  for (const auto& [lang, name] : ReadPerLanguage(table, key)) {
    const std::string path = JoinInside(context.folder, name);
    out.emplace(lang, text::Template::Parse(ReadFile(path, 1u << 20), Cat(context.folder, "/", name)));
  }
  return out;
}

void RequireTemplates(const Table& step, const std::map<std::string, text::Template>& templates,
                      const PerLanguage& models) {
  for (const auto& [lang, model] : models) {
    if (!templates.contains(lang)) step.Refuse("template", Cat("has none for ", lang, ", which `model` names"));
  }
}

Json RecordContext(const recipe::Record& record) {
  Json context = record.input;
  context["lang"] = record.lang;
  return context;
}

}  // namespace atelier::operators
