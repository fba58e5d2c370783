// What a person should know beside a result. Terminals and JSON say it in English, a page in its own language.
#pragma once

#include <string>

namespace atelier {

struct Note {
  std::string en, zh;
  bool empty() const { return en.empty(); }
  const std::string& In(bool chinese) const { return chinese ? zh : en; }
};

}  // namespace atelier
