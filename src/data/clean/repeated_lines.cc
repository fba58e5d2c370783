// repeated_lines: lines that come back in many records are furniture: menus, disclaimers, signatures. They go.
//
//   least_records = 10       in so many records, and
//   least_share = 0.01       in such a share of all records
//   least_characters = 1     shorter lines are left alone ("", "Yes.")
//   drop_empty = true        a record whose texts become empty goes
//
// Lines are compared without the white space around them. The fit counts 64-bit hashes of lines, at most four million
// at a time: when the table is full, every count is lowered by one and what is at zero leaves (Misra and Gries 1982),
// so a line in more than one of four million lines is never lost, and counts are never too high.
#include <xxhash.h>

#include <algorithm>
#include <unordered_map>

#include "base/str.h"
#include "data/clean/fit.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

constexpr size_t kMostLines = 4u << 20;

struct Lines : Observations {
  std::vector<uint64_t> seen;  // one hash per line and record
  uint64_t records = 0;
};

class RepeatedLines : public Operation {
 public:
  explicit RepeatedLines(Table* table) : fields_(table) {
    least_records_ = static_cast<uint64_t>(table->IntOr("least_records", 10, 2));
    least_share_ = table->DoubleOr("least_share", 0.01, 0, 1);
    least_characters_ = static_cast<size_t>(table->IntOr("least_characters", 1, 1));
    drop_empty_ = table->BoolOr("drop_empty", true);
  }

  std::string_view Apply(Row* row, Worker* worker) const override {
    bool text_left = false, cut = false;
    fields_.Texts(row, [&](Field* field) {
      std::string& out = worker->scratch;
      out.clear();
      bool changed = false;
      ForLines(field->text, [&](std::string_view line, std::string_view bare) {
        if (!bare.empty() && std::binary_search(furniture_.begin(), furniture_.end(), HashOf(bare))) {
          changed = true;
        } else {
          out.append(line).push_back('\n');
        }
      });
      if (changed) {
        if (!out.empty()) out.pop_back();
        row->SetText(field, row->arena()->Copy(out));
        cut = true;
      }
      text_left |= !Trim(field->text).empty();
    });
    return cut && !text_left && drop_empty_ ? "nothing but lines that many records have" : "";
  }

  bool fits() const override { return true; }
  std::unique_ptr<Observations> NewObservations() const override { return std::make_unique<Lines>(); }

  void Observe(Row* row, Worker*, Observations* to) const override {
    auto* lines = static_cast<Lines*>(to);
    ++lines->records;
    const size_t from = lines->seen.size();
    fields_.Texts(row, [&](Field* field) {
      ForLines(field->text, [&](std::string_view, std::string_view bare) {
        if (!bare.empty() && text::CountChars(bare) >= least_characters_) lines->seen.push_back(HashOf(bare));
      });
    });
    // Once per record, however often it stands there.
    std::sort(lines->seen.begin() + static_cast<ptrdiff_t>(from), lines->seen.end());
    lines->seen.erase(std::unique(lines->seen.begin() + static_cast<ptrdiff_t>(from), lines->seen.end()),
                      lines->seen.end());
  }

  void Absorb(const Observations& from) override {
    const auto& lines = static_cast<const Lines&>(from);
    records_ += lines.records;
    for (const uint64_t hash : lines.seen) {
      const auto at = counts_.find(hash);
      if (at != counts_.end()) {
        ++at->second;
      } else if (counts_.size() < kMostLines) {
        counts_.emplace(hash, 1);
      } else {
        for (auto entry = counts_.begin(); entry != counts_.end();) {
          entry = --entry->second == 0 ? counts_.erase(entry) : std::next(entry);
        }
      }
    }
  }

  void FinishFit() override {
    furniture_.clear();
    for (const auto& [hash, count] : counts_) {
      if (count >= least_records_ && static_cast<double>(count) >= least_share_ * static_cast<double>(records_)) {
        furniture_.push_back(hash);
      }
    }
    std::sort(furniture_.begin(), furniture_.end());
    counts_.clear();
  }

  Json Fitted() const override {
    Json list = Json::array();
    for (const uint64_t hash : furniture_) list.push_back(Cat(hash));
    return {{"lines", std::move(list)}};
  }
  void Restore(const Json& fitted) override {
    furniture_.clear();
    for (const Json& one : fitted.at("lines")) furniture_.push_back(std::stoull(one.get<std::string>()));
    std::sort(furniture_.begin(), furniture_.end());
  }

 private:
  static uint64_t HashOf(std::string_view line) { return XXH3_64bits(line.data(), line.size()); }

  template <typename Visit>
  static void ForLines(std::string_view text, const Visit& visit) {
    for (size_t at = 0; at <= text.size();) {
      size_t end = text.find('\n', at);
      if (end == std::string_view::npos) end = text.size();
      const std::string_view line = text.substr(at, end - at);
      visit(line, Trim(line));
      at = end + 1;
    }
  }

  FieldChoice fields_;
  uint64_t least_records_;
  double least_share_;
  size_t least_characters_;
  bool drop_empty_;
  std::unordered_map<uint64_t, uint32_t> counts_;
  std::vector<uint64_t> furniture_;  // sorted hashes
  uint64_t records_ = 0;
};

}  // namespace

std::unique_ptr<Operation> MakeRepeatedLines(Table* table) { return std::make_unique<RepeatedLines>(table); }

}  // namespace atelier::data::clean
