#include "data/import/section.h"

#include "base/error.h"
#include "base/str.h"
#include "data/import/text_stream.h"

namespace atelier::data {

void SectionBuilder::Close() {
  while (open_.text.ends_with('\n') || open_.text.ends_with(' ')) open_.text.pop_back();
  if (!open_.text.empty()) {
    for (const auto& [level, text] : path_) open_.headings.push_back(text);
    document_->sections.push_back(std::move(open_));
  }
  open_ = {};
}

void SectionBuilder::Heading(int level, std::string text, uint64_t line) {
  Close();
  while (!path_.empty() && path_.back().first >= level) path_.pop_back();
  if (document_->title.empty() && level == 1) document_->title = text;
  if (!text.empty()) path_.emplace_back(level, std::move(text));
  open_.line = line;
}

void SectionBuilder::Line(std::string_view text, uint64_t line) {
  if (text.empty()) {
    if (!open_.text.empty() && !open_.text.ends_with("\n\n")) open_.text.push_back('\n');
    return;
  }
  if (open_.line == 0) open_.line = line;
  open_.text += text;
  open_.text.push_back('\n');
}

void SectionBuilder::Finish() { Close(); }

void EmitDocument(const Document& document, ImportSink& sink) {
  if (document.sections.empty()) {
    sink.Reject(0, 0, "no text in it", document.title);
    return;
  }
  for (const Section& section : document.sections) {
    LineBuilder& record = sink.record();
    record.Key("title");
    record.Text(document.title);
    record.Key("headings");
    std::string headings = "[";
    for (const std::string& heading : section.headings) {
      headings += headings.size() > 1 ? ",\"" : "\"";
      AppendEscaped(&headings, heading);
      headings += "\"";
    }
    record.Json(headings + "]");
    record.Key("text");
    record.Text(section.text);
    for (const auto& [key, value] : document.fields) {
      if (key == "title" || key == "headings" || key == "text") continue;
      record.Key(Escaped(key.starts_with('_') || key.empty() ? "x" + key : key));
      record.Json(value);
    }
    sink.Done(section.line);
  }
}

bool ReadWhole(const ReaderInput& input, ImportSink& sink, std::string* text) {
  constexpr size_t kMost = 64u << 20;
  TextStream stream(input, sink);
  while (stream.Fill(text)) {
    if (text->size() > kMost) {
      sink.Reject(0, 0, Cat("a document of more than ", FormatBytes(kMost)), text->substr(0, 200));
      return false;
    }
  }
  if (const size_t bad = FirstInvalidUtf8(*text); bad != std::string::npos) {
    const auto line = 1 + std::count(text->begin(), text->begin() + static_cast<ptrdiff_t>(bad), '\n');
    sink.Reject(static_cast<uint64_t>(line), 0, "bytes that do not decode",
                text->substr(bad < 100 ? 0 : bad - 100, 200));
    return false;
  }
  if (const size_t nul = text->find('\0'); nul != std::string::npos) {
    sink.Reject(0, 0, "a NUL byte; this is not text", text->substr(0, 200));
    return false;
  }
  return true;
}

Json ToJson(const Document& document) {
  Json sections = Json::array();
  for (const Section& section : document.sections) {
    sections.push_back({{"headings", section.headings}, {"text", section.text}, {"line", section.line}});
  }
  return {{"title", document.title}, {"sections", std::move(sections)}};
}

Document DocumentFromJson(const Json& json) {
  try {
    Document document;
    document.title = json.at("title").get<std::string>();
    for (const Json& section : json.at("sections")) {
      document.sections.push_back({section.at("headings").get<std::vector<std::string>>(),
                                   section.at("text").get<std::string>(), section.at("line").get<uint64_t>()});
    }
    return document;
  } catch (const Json::exception&) {
    throw Error(Code::kCorrupt, "the child that reads HTML gave something else than a document");
  }
}

}  // namespace atelier::data
