#include "data/clean/report.h"

#include "text/unicode.h"

namespace atelier::data::clean {

std::string Excerpt(std::string_view text, size_t most) {
  if (text.size() <= most) return text::SanitizeUtf8(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text::SanitizeUtf8(text.substr(0, most)) + "…";
}

void Tally::Drop(std::string_view reason, uint64_t record, std::string_view line) {
  ++dropped;
  const auto at = reasons.find(reason);
  if (at != reasons.end()) {
    ++at->second;
  } else {
    reasons.emplace(reason, 1);
  }
  if (drops.size() >= kExamples) return;
  // A record's own id says little to a reader.
  constexpr std::string_view kId = "{\"_id\":\"";
  if (line.starts_with(kId) && line.size() > kId.size() + 34) line.remove_prefix(kId.size() + 34);
  drops.push_back({record, Excerpt(line), "", std::string(reason)});
}

void Tally::Change(uint64_t record, std::string_view before, std::string_view after) {
  ++changed;
  if (changes.size() >= kExamples) return;
  // Shown from shortly before the first difference, so that a long text shows what happened.
  size_t same = 0;
  while (same < before.size() && same < after.size() && before[same] == after[same]) ++same;
  size_t from = same > 40 ? same - 40 : 0;
  while (from > 0 && (static_cast<unsigned char>(before[from]) & 0xC0) == 0x80) --from;
  const std::string lead = from > 0 ? "…" : "";
  changes.push_back({record, lead + Excerpt(before.substr(from)), lead + Excerpt(after.substr(from)), ""});
}

void Tally::Add(const Tally& later, uint64_t base) {
  seen += later.seen;
  changed += later.changed;
  dropped += later.dropped;
  seconds += later.seconds;
  for (const auto& [reason, count] : later.reasons) reasons[reason] += count;
  for (const auto& [from, to] : {std::pair(&later.changes, &changes), std::pair(&later.drops, &drops)}) {
    for (const Example& example : *from) {
      if (to->size() >= kExamples) break;
      to->push_back(example);
      to->back().record += base;
    }
  }
}

namespace {

Json TallyJson(const Tally& tally) {
  Json reasons = Json::object(), changes = Json::array(), drops = Json::array();
  for (const auto& [reason, count] : tally.reasons) reasons[reason] = count;
  for (const Example& e : tally.changes)
    changes.push_back({{"record", e.record}, {"before", e.before}, {"after", e.after}});
  for (const Example& e : tally.drops)
    drops.push_back({{"record", e.record}, {"reason", e.reason}, {"line", e.before}});
  return {{"seen", tally.seen}, {"changed", tally.changed}, {"dropped", tally.dropped},
          {"reasons", reasons}, {"examples", changes},      {"dropped_examples", drops}};
}

}  // namespace

Json Report::ToJson() const {
  Json list = Json::array();
  for (const OperationReport& operation : operations) {
    Json one = {{"operation", operation.name}};
    one.update(TallyJson(operation.tally));
    if (!operation.fitted.is_null()) one["fitted"] = operation.fitted;
    if (!operation.findings.is_null()) one["findings"] = operation.findings;
    list.push_back(std::move(one));
  }
  return {{"format", kFormat},
          {"read", read},
          {"kept", kept},
          {"bytes_in", bytes_in},
          {"bytes_out", bytes_out},
          {"unreadable", TallyJson(unreadable)},
          {"operations", std::move(list)}};
}

}  // namespace atelier::data::clean
