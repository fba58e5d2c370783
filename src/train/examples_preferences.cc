#include "train/examples_preferences.h"

#include "base/error.h"
#include "base/str.h"
#include "train/reply_rows.h"

namespace atelier::train {
namespace {

// Rows 2 i and 2 i + 1 are one example.
class RowPairs : public Examples {
 public:
  ReplyRows rows;
  std::vector<float> marks;  // of each example, or none

  int64_t size() const override { return rows.size() / 2; }
  int64_t Length(int64_t row) const override { return std::max(rows.Length(2 * row), rows.Length(2 * row + 1)); }
  model::Batch Collate(std::span<const int64_t> which, Rng) const override {
    std::vector<int64_t> both;
    for (const int64_t second : {0, 1}) {
      for (const int64_t row : which) both.push_back(2 * row + second);
    }
    model::Batch batch = rows.Lay(both);
    if (marks.empty()) return batch;
    batch.marks = torch::empty({static_cast<int64_t>(which.size())});
    for (size_t i = 0; i < which.size(); ++i) batch.marks.data_ptr<float>()[i] = marks[static_cast<size_t>(which[i])];
    return batch;
  }
  std::string Describe(int64_t row) const override { return rows.Describe(2 * row); }
};

// true or false, 1 or 0, or these as text.
bool IsWanted(const Json& fields, const std::string& field, const std::string& where) {
  const auto found = fields.find(field);
  if (found != fields.end()) {
    const std::string said = found->is_string() ? ToLowerAscii(found->get<std::string>()) : ToText(*found);
    for (const auto& [text, wanted] : std::initializer_list<std::pair<const char*, bool>>{
             {"true", true}, {"1", true}, {"false", false}, {"0", false}}) {
      if (said == text) return wanted;
    }
  }
  throw Error(Code::kInvalidInput,
              Cat(where, ": the field ", Quote(field), " is ", found == fields.end() ? "missing" : ToText(*found)),
              "true where the reply was wanted, false where not");
}

bool SamePrompt(const ReplyTokens& a, const ReplyTokens& b) {
  const auto given = [](const ReplyTokens& row) {
    const auto first = std::find(row.learned.begin(), row.learned.end(), true) - row.learned.begin();
    return std::span(row.tokens).first(static_cast<size_t>(first));
  };
  return std::ranges::equal(given(a), given(b));
}

// The prompt of one with the reply of another.
ReplyTokens Mixed(const ReplyTokens& prompt, const ReplyTokens& reply) {
  const auto first = [](const ReplyTokens& row) {
    return std::find(row.learned.begin(), row.learned.end(), true) - row.learned.begin();
  };
  ReplyTokens out;
  const auto given = first(prompt), from = first(reply);
  out.tokens.assign(prompt.tokens.begin(), prompt.tokens.begin() + given);
  out.learned.assign(prompt.learned.begin(), prompt.learned.begin() + given);
  out.tokens.insert(out.tokens.end(), reply.tokens.begin() + from, reply.tokens.end());
  out.learned.insert(out.learned.end(), reply.learned.begin() + from, reply.learned.end());
  return out;
}

}  // namespace

std::unique_ptr<Examples> PreferenceExamples(const Records& records, const DataSettings& data,
                                             const ReplyFormat& format, ExamplesReport* report) {
  auto out = std::make_unique<RowPairs>();
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const std::string where = records.Describe(index);
    ReplyTokens chosen = format.Of(fields, data.chosen, where), rejected = format.Of(fields, data.rejected, where);
    if (chosen.tokens == rejected.tokens) chosen.empty = true;  // nothing is preferred
    ExamplesReport both;
    const bool fit = FitReply(data, &chosen, &both) && FitReply(data, &rejected, &both);
    report->empty += both.empty;
    report->dropped += both.dropped;
    if (!fit) return;
    if (chosen.tokens == rejected.tokens) {  // by now
      ++report->empty;
      return;
    }
    report->truncated += both.truncated > 0;
    report->tokens += both.tokens;
    report->targets += both.targets;
    out->rows.Add(index, chosen);
    out->rows.Add(index, rejected);
  });
  if (out->size() == 0) {
    throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has two different replies to one prompt"));
  }
  return out;
}

std::unique_ptr<Examples> JudgedExamples(const Records& records, const DataSettings& data, const ReplyFormat& format,
                                         ExamplesReport* report) {
  auto out = std::make_unique<RowPairs>();
  std::vector<std::pair<int64_t, ReplyTokens>> kept;
  records.ForEach([&](int64_t index, const Json& fields) {
    ++report->records;
    const std::string where = records.Describe(index);
    ReplyTokens row = format.Of(fields, data.response, where);
    const bool wanted = IsWanted(fields, data.label, where);
    if (!FitReply(data, &row, report)) return;
    out->marks.push_back(wanted ? 1.0f : -1.0f);
    kept.emplace_back(index, std::move(row));
  });
  if (kept.empty()) throw Error(Code::kInvalidInput, Cat(records.name(), ": no record has a reply to learn"));
  if (std::count(out->marks.begin(), out->marks.end(), out->marks[0]) == std::ssize(out->marks)) {
    throw Error(Code::kInvalidInput,
                Cat(records.name(), ": all replies are ", out->marks[0] > 0 ? "wanted" : "unwanted"),
                "what was wanted can only be learned beside what was not");
  }
  const auto most = static_cast<size_t>(data.sequence_length + 1);
  for (size_t i = 0; i < kept.size(); ++i) {
    out->rows.Add(kept[i].first, kept[i].second);
    // One of the others, whatever their order; the first from there on that answers another prompt.
    size_t next = (i + 1 + Rng(i, "reply").Below(kept.size() - 1)) % kept.size();
    while (next != i && SamePrompt(kept[next].second, kept[i].second)) next = (next + 1) % kept.size();
    ReplyTokens other = Mixed(kept[i].second, kept[next].second);
    other.tokens.resize(std::min(other.tokens.size(), most));
    other.learned.resize(other.tokens.size());
    out->rows.Add(kept[i].first, other);
  }
  return out;
}

}  // namespace atelier::train
