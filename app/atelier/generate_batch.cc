#include "app/atelier/generate_batch.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/records.h"
#include "runtime/chat.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

constexpr size_t kTogether = 32;  // requests in the engine at once

// The first line of a part: what it is a part of.
Json Header(const artefact::Generator& model, const BatchOptions& options, const std::string& sha256) {
  return {{"input", sha256}, {"model", model.info().name}, {"hash", model.info().hash}, {"request", options.request}};
}

// Lines of a part that the same command left; what was cut in the middle of a line is left out.
std::vector<std::string> Done(const std::string& part, const Json& header) {
  if (!FileExists(part)) return {};
  std::vector<std::string> lines = Split(ReadFile(part, UINT64_MAX), '\n');
  lines.pop_back();  // behind the last line's end, or a piece of one
  if (lines.empty()) return {};
  if (lines[0] != ToText(header)) {
    throw Error(Code::kConflict, Cat(part, ": is what another command, or one on other records, left"),
                "remove it, or name another --out");
  }
  lines.erase(lines.begin());
  return lines;
}

artefact::GenerateRequest Ask(const artefact::GenerateRequest& like, const Json& record, const BatchOptions& options,
                              const runtime::ChatFormat* chat, const std::string& where) {
  const auto asked = record.find(options.field);
  if (asked == record.end() || !(asked->is_string() || (chat != nullptr && asked->is_array()))) {
    throw Error(
        Code::kInvalidInput,
        Cat(where, ": no text", chat != nullptr ? " and no messages" : "", " in the field ", Quote(options.field)),
        "--field names another");
  }
  artefact::GenerateRequest request = like;
  if (chat == nullptr) {
    request.prompt = asked->get<std::string>();
    return request;
  }
  Json messages = Json::array();
  if (!options.system.empty()) messages.push_back({{"role", "system"}, {"content", options.system}});
  if (asked->is_string()) {
    messages.push_back({{"role", "user"}, {"content", *asked}});
  } else {
    for (const Json& message : *asked) messages.push_back(message);
  }
  try {
    request.prompt = chat->Render(messages);
  } catch (const Error& error) {
    throw error.Within(where);
  }
  request.parse_special = true;
  return request;
}

}  // namespace

void GenerateBatch(artefact::Generator& model, const artefact::GenerateRequest& request, const BatchOptions& options,
                   const Globals& globals) {
  if (SameFile(options.input, options.out))
    throw Error(Code::kUsage, Cat("--out ", Quote(options.out), " is the input"));
  data::ImportOptions import;
  import.most_bytes = uint64_t{4} << 30, import.most_records = 100'000'000, import.exact = true;
  const data::Imported imported = data::ReadRecords(options.input, import);
  std::optional<runtime::ChatFormat> chat;
  if (options.chat) chat.emplace(model);
  std::vector<artefact::GenerateRequest> requests;  // all of them first: a bad record is told before the work
  for (const data::Record& record : imported.records) {
    requests.push_back(
        Ask(request, record.fields, options, chat ? &*chat : nullptr, Cat(options.input, ":", record.line)));
    requests.back().seed = request.seed + requests.size() - 1;
  }
  const std::string part = options.out + ".part";
  const Json header = Header(model, options, imported.sha256);
  const std::vector<std::string> done = Done(part, header);
  if (done.size() > requests.size()) throw Error(Code::kCorrupt, Cat(part, ": has more lines than there are records"));
  std::string kept = ToText(header) + "\n";
  for (const std::string& line : done) kept += line + "\n";
  WriteFileAtomic(part, kept);

  std::ofstream out(part, std::ios::app | std::ios::binary);
  Progress progress("writing", ProgressUnit::kItems, globals.quiet || globals.json);
  uint64_t tokens = 0;
  for (size_t at = done.size(); at < requests.size(); at += kTogether) {
    const size_t end = std::min(requests.size(), at + kTogether);
    const std::vector<artefact::GenerateResult> results = artefact::GenerateAll(
        model, {requests.begin() + static_cast<ptrdiff_t>(at), requests.begin() + static_cast<ptrdiff_t>(end)});
    for (size_t i = at; i < end; ++i) {
      Json line = imported.records[i].fields;
      const std::vector<artefact::Generated>& samples = results[i - at].samples;
      Json texts = Json::array();
      for (const artefact::Generated& sample : samples) {
        texts.push_back(sample.text);
        tokens += sample.tokens.size();
      }
      line[options.into] = samples.size() == 1 ? texts[0] : texts;
      out << ToText(line) << "\n";
    }
    if (!out.flush()) throw Error(Code::kResourceExhausted, Cat(part, ": cannot be written"), "is the disk full?");
    progress.Update(end, requests.size());
  }
  out.close();
  AtomicFile whole(options.out);
  const std::string all = ReadFile(part, UINT64_MAX);
  whole.Write(std::string_view(all).substr(all.find('\n') + 1));
  whole.Commit();
  RemoveFile(part);
  if (globals.json) {
    std::cout << ToText(Json{{"path", options.out}, {"records", requests.size()}, {"output_tokens", tokens}}) << "\n";
  } else {
    std::cout << text::ForTerminal(options.out) << ": " << requests.size() << " records\n";
  }
}

}  // namespace atelier::app
