// The notes of a command: to standard error for people, as "notes" for machines; a report has its own way.
#pragma once

#include <iostream>
#include <vector>

#include "base/json.h"
#include "base/note.h"
#include "text/unicode.h"

namespace atelier::app {

using Notes = std::vector<Note>;

inline void PrintNotes(const Notes& notes) {
  for (const Note& note : notes) std::cerr << "note: " << text::ForTerminal(note.en) << "\n";
}

inline Json NotesJson(const Notes& notes) {
  Json list = Json::array();
  for (const Note& note : notes) list.push_back(note.en);
  return list;
}

}  // namespace atelier::app
