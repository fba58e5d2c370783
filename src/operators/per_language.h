// Settings that a step gives per language: model = { zh = "...", en = "..." }.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/config.h"
#include "recipe/run.h"
#include "text/jinja.h"

namespace atelier::operators {

using PerLanguage = std::map<std::string, std::string>;

// Reads table `key`, whose keys are languages. Throws for any but zh and en, and where it is empty.
PerLanguage ReadPerLanguage(Table& table, std::string_view key);

// The templates in the files that `key` names, parsed: a template that is wrong is found before anything runs.
std::map<std::string, text::Template> ReadTemplates(Table& table, std::string_view key,
                                                    const recipe::StepContext& context);

// Refuses `template` where a language that has a model has none.
void RequireTemplates(const Table& step, const std::map<std::string, text::Template>& templates,
                      const PerLanguage& models);

// What a template sees of a record: its fields, and `lang`.
Json RecordContext(const recipe::Record& record);

}  // namespace atelier::operators
