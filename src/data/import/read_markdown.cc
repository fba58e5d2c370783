// Markdown: one record per section. Front matter becomes fields of every record of the file.
#include <map>

#include "base/str.h"
#include "data/import/section.h"

namespace atelier::data {
namespace {

// The next line of *text, without its end.
std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view Unquoted(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front()) {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

// "key: value" lines, lists as [a, b] or as lines "- a". What is more than that stays text.
void FrontMatter(std::string_view matter, Document* document) {
  std::string list_key;
  Json list = Json::array();
  const auto add = [&](const std::string& key, std::string value) {
    for (auto& field : document->fields) {
      if (field.first == key) {
        field.second = std::move(value);
        return;
      }
    }
    if (document->fields.size() < 200) document->fields.emplace_back(key, std::move(value));
  };
  const auto close_list = [&] {
    if (!list_key.empty()) add(list_key, ToText(list));
    list_key.clear();
    list = Json::array();
  };
  while (!matter.empty()) {
    const std::string_view line = TakeLine(&matter);
    const std::string_view plain = Trim(line);
    if (plain.empty() || plain.starts_with('#')) continue;
    if (plain.starts_with("- ") && !list_key.empty()) {
      list.push_back(std::string(Unquoted(Trim(plain.substr(2)))));
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with(' ')) continue;
    close_list();
    const std::string key(Trim(line.substr(0, colon)));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (key.empty() || key.size() > 100) continue;
    if (value.empty()) {
      list_key = key;
    } else if (value.starts_with('[') && value.ends_with(']')) {
      Json items = Json::array();
      for (const std::string& item : Split(value.substr(1, value.size() - 2), ',')) {
        if (const std::string_view trimmed = Trim(item); !trimmed.empty())
          items.push_back(std::string(Unquoted(trimmed)));
      }
      add(key, ToText(items));
    } else {
      if (key == "title") document->title = std::string(Unquoted(value));
      add(key, ToText(Json(std::string(Unquoted(value)))));
    }
  }
  close_list();
}

// 1 to 6 for "## Heading ##", with its text; 0 for other lines.
int AtxHeading(std::string_view line, std::string_view* text) {
  const size_t indent = line.find_first_not_of(' ');
  if (indent == std::string_view::npos || indent > 3) return 0;
  line.remove_prefix(indent);
  const size_t level = std::min(line.find_first_not_of('#'), line.size());
  if (level < 1 || level > 6 || (level < line.size() && line[level] != ' ' && line[level] != '\t')) return 0;
  line = Trim(line.substr(level));
  const size_t tail = line.find_last_not_of('#');
  if (tail == std::string_view::npos) {
    line = {};
  } else if (tail + 1 < line.size() && (line[tail] == ' ' || line[tail] == '\t')) {
    line = Trim(line.substr(0, tail));
  }
  *text = line;
  return static_cast<int>(level);
}

// A row of = or - under a line of text.
int SetextLevel(std::string_view line) {
  if (line.starts_with("    ")) return 0;
  line = Trim(line);
  if (line.empty() || (line[0] != '=' && line[0] != '-')) return 0;
  return line.find_first_not_of(line[0]) == std::string_view::npos ? (line[0] == '=' ? 1 : 2) : 0;
}

}  // namespace

Document ParseMarkdown(std::string_view text) {
  Document document;
  SectionBuilder sections(&document);
  uint64_t number = 0;
  if (text.starts_with("---\n") || text.starts_with("---\r\n")) {
    std::string_view rest = text;
    TakeLine(&rest);
    const std::string_view matter = rest;
    uint64_t lines = 1;
    while (!rest.empty()) {
      const size_t begin = matter.size() - rest.size();
      const std::string_view line = TakeLine(&rest);
      ++lines;
      if (line == "---" || line == "...") {
        FrontMatter(matter.substr(0, begin), &document);
        text = rest;
        number = lines;
        break;
      }
    }
  }
  std::string fence;         // the mark that opened a code block
  std::string_view pending;  // a line that the next may make a heading
  uint64_t pending_line = 0;
  const auto flush = [&] {
    if (!pending.empty()) sections.Line(pending, pending_line);
    pending = {};
  };
  while (!text.empty()) {
    const std::string_view line = TakeLine(&text);
    ++number;
    const std::string_view plain = Trim(line);
    if (!fence.empty()) {
      sections.Line(line.empty() ? " " : line, number);
      if (plain.starts_with(fence) && plain.find_first_not_of(fence[0]) == std::string_view::npos) fence.clear();
      continue;
    }
    if ((plain.starts_with("```") || plain.starts_with("~~~")) && line.find_first_not_of(' ') <= 3) {
      flush();
      fence = std::string(plain.substr(0, std::min(plain.find_first_not_of(plain[0]), plain.size())));
      sections.Line(line, number);
      continue;
    }
    std::string_view heading;
    if (const int level = AtxHeading(line, &heading); level > 0) {
      flush();
      sections.Heading(level, std::string(heading), number);
      continue;
    }
    if (const int level = SetextLevel(line); level > 0 && !pending.empty() && !Trim(pending).starts_with('|')) {
      sections.Heading(level, std::string(Trim(pending)), pending_line);
      pending = {};
      continue;
    }
    flush();
    if (plain.empty()) {
      sections.Line("", number);
    } else {
      pending = line;
      pending_line = number;
    }
  }
  flush();
  sections.Finish();
  return document;
}

void ReadMarkdownSource(const ReaderInput& input, ImportSink& sink) {
  std::string text;
  if (ReadWhole(input, sink, &text)) EmitDocument(ParseMarkdown(text), sink);
}

}  // namespace atelier::data
