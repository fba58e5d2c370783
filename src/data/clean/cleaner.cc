#include "data/clean/cleaner.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/ids.h"
#include "base/str.h"
#include "data/clean/block_queue.h"

namespace atelier::data::clean {
namespace {

// What is read, cleaned and written at a time: fits the second-level cache together with its index and its output.
constexpr size_t kPiece = 192u << 10;

// Calls use(piece) with pieces of whole lines.
template <typename Use>
void ForPieces(std::string_view lines, const Use& use) {
  while (!lines.empty()) {
    size_t size = lines.size();
    if (size > kPiece) {
      const void* feed = memrchr(lines.data(), '\n', kPiece);
      if (feed == nullptr) feed = std::memchr(lines.data() + kPiece, '\n', lines.size() - kPiece);
      if (feed != nullptr) size = static_cast<size_t>(static_cast<const char*>(feed) - lines.data()) + 1;
    }
    use(lines.substr(0, size));
    lines.remove_prefix(size);
  }
}

}  // namespace

struct Cleaner::Output {
  struct Reject {
    uint64_t record;                              // in the block, from 0
    size_t stage;                                 // operation, or npos for reading
    size_t reason, line, reason_size, line_size;  // in `texts`
  };
  std::string lines, texts;
  size_t records = 0;
  uint64_t read = 0;
  std::vector<Reject> rejects;
  Tally unreadable;
  std::vector<Tally> tallies;
  std::unique_ptr<Observations> observations;
  double read_seconds = 0, write_seconds = 0;
  size_t bytes = 0;

  void Clear() {
    lines.clear();
    texts.clear();
    rejects.clear();
    tallies.clear();
    unreadable = Tally();
    observations.reset();
    records = 0;
    read = 0;
    bytes = 0;
    read_seconds = write_seconds = 0;
  }
};

// What one thread keeps between blocks.
class Cleaner::Runner {
 public:
  Runner(const Cleaner* cleaner, const CleanOptions& options, size_t operations, const Operation* observed)
      : cleaner_(cleaner),
        options_(options),
        operations_(operations),
        observed_(observed),
        worker_(cleaner->table_.get()),
        row_(&worker_.arena()) {
    for (const Listed& listed : cleaner->list_) conceal_ = conceal_ || listed.operation->conceals();
  }

  void Run(std::string_view block, Output* out) {
    out->tallies.resize(operations_);
    out->bytes = block.size();
    if (observed_ != nullptr) out->observations = observed_->NewObservations();
    ForPieces(block, [&](std::string_view piece) {
      if (buffer_.size() < piece.size() + kPadding) buffer_.resize(piece.size() + kPadding);
      std::memcpy(buffer_.data(), piece.data(), piece.size());
      std::memset(buffer_.data() + piece.size(), 0, kPadding);
      worker_.arena().Clear();
      Start();
      reader_.Start({buffer_.data(), piece.size()});
      std::string_view wrong;
      while (reader_.Next(&row_, &wrong)) {
        Stop(&out->read_seconds);
        const uint64_t record = out->read++;
        if (wrong.empty()) {
          One(record, out);
        } else {
          out->unreadable.Drop(wrong, record, Shown(row_.line, out->unreadable.drops));
          Reject(record, std::string::npos, wrong, out);
        }
        Start();
      }
    });
  }

 private:
  void Start() {
    if (options_.profile) started_ = MonotonicSeconds();
  }
  void Stop(double* seconds) {
    if (options_.profile) *seconds += MonotonicSeconds() - started_;
  }

  void One(uint64_t record, Output* out) {
    for (size_t i = 0; i < operations_; ++i) {
      Tally& tally = out->tallies[i];
      ++tally.seen;
      const uint64_t before = row_.changes;
      row_.has_example = false;
      Start();
      const std::string_view why = cleaner_->list_[i].operation->Apply(&row_, &worker_);
      Stop(&tally.seconds);
      if (!why.empty()) {
        tally.Drop(why, record, Shown(row_.line, tally.drops));
        Reject(record, i, why, out);
        return;
      }
      if (row_.changes != before) {
        tally.Change(record, Shown(row_.before, tally.changes), Shown(row_.after, tally.changes));
      }
    }
    if (observed_ != nullptr) {
      observed_->Observe(&row_, &worker_, out->observations.get());
      return;
    }
    ++out->records;
    Start();
    row_.Write(&out->lines, options_.ids);
    Stop(&out->write_seconds);
  }

  // What a report may show of a text, where there is room for one more example.
  std::string_view Shown(std::string_view text, const std::vector<Example>& examples) {
    if (!conceal_ || examples.size() >= Tally::kExamples) return text;
    std::string shown(text);
    for (const Listed& listed : cleaner_->list_) {
      if (listed.operation->conceals()) shown = listed.operation->Conceal(shown);
    }
    return worker_.arena().Copy(shown);
  }

  void Reject(uint64_t record, size_t stage, std::string_view reason, Output* out) {
    if (observed_ != nullptr) return;
    Output::Reject reject{record, stage, out->texts.size(), 0, reason.size(), row_.line.size()};
    out->texts.append(reason);
    reject.line = out->texts.size();
    out->texts.append(row_.line);
    out->rejects.push_back(reject);
  }

  const Cleaner* cleaner_;
  const CleanOptions& options_;
  size_t operations_;
  const Operation* observed_;
  bool conceal_ = false;
  Worker worker_;
  Row row_;
  RowReader reader_;
  std::vector<char> buffer_;
  double started_ = 0;
};

Cleaner Cleaner::Parse(std::string_view toml, const std::string& file) {
  Table document = Table::Parse(toml, file);
  Cleaner cleaner;
  for (Table& table : document.Tables("operation")) {
    const std::string name = table.String("use");
    const OperationEntry* entry = nullptr;
    std::vector<std::string> names;
    for (const OperationEntry& one : AllOperations()) {
      names.emplace_back(one.name);
      if (one.name == name) entry = &one;
    }
    if (entry == nullptr) {
      const std::string near = Nearest(name, names);
      table.Refuse("use", Cat("there is no operation '", name, "'"),
                   near.empty() ? Cat("one of ", Join(names, ", ")) : Cat("did you mean '", near, "'?"));
    }
    cleaner.list_.push_back({name, entry->make(&table)});
    table.Done();
  }
  document.Done();
  if (cleaner.list_.empty()) document.Refuse("operation", "the list is empty", "write [[operation]] tables");
  cleaner.table_ = std::make_unique<CharTable>(PlainCharTable());
  for (const Listed& listed : cleaner.list_) listed.operation->Mark(cleaner.table_.get());
  return cleaner;
}

Json Cleaner::Fitted() const {
  Json list = Json::array();
  for (const Listed& listed : list_)
    list.push_back({{"operation", listed.name}, {"fitted", listed.operation->Fitted()}});
  return list;
}

void Cleaner::Restore(const Json& fitted) {
  const auto wrong = [](const std::string& what) {
    return Error(Code::kInvalidInput, Cat("the fitted values are of another list: ", what),
                 "clean with the configuration that they were fitted with");
  };
  if (!fitted.is_array() || fitted.size() != list_.size()) throw wrong("another number of operations");
  for (size_t i = 0; i < list_.size(); ++i) {
    const Json& one = fitted[i];
    if (!one.is_object() || one.value("operation", "") != list_[i].name || !one.contains("fitted")) {
      throw wrong(Cat("operation ", i + 1, " is not ", list_[i].name));
    }
    if (!list_[i].operation->fits()) continue;
    try {
      list_[i].operation->Restore(one["fitted"]);
    } catch (const nlohmann::json::exception&) {
      throw wrong(Cat("operation ", i + 1, ", ", list_[i].name, ", reads something else"));
    }
    list_[i].restored = true;
  }
}

size_t Cleaner::passes() const {
  return 1 + static_cast<size_t>(std::count_if(list_.begin(), list_.end(), [](const Listed& listed) {
           return listed.operation->fits() && !listed.restored;
         }));
}

Report Cleaner::Run(const BlockSource& source, BlockSink* sink, const CleanOptions& options) {
  using Queue = BlockQueue<Runner, Output>;
  const double started = MonotonicSeconds();
  const size_t passes = this->passes();
  size_t pass = 0;
  const auto stream = [&](size_t operations, const Operation* observed, const Queue::Absorb& absorb) {
    ++pass;
    uint64_t bytes = 0;
    Queue::Run(
        options.threads, [&] { return std::make_unique<Runner>(this, options, operations, observed); },
        [&](const std::function<bool(std::string_view)>& use) {
          source([&](std::string_view block) {
            bytes += block.size();
            if (options.progress) options.progress(bytes, pass, passes);
            return use(block);
          });
        },
        [](Runner* runner, std::string_view block, Output* out) { runner->Run(block, out); }, absorb);
  };
  for (size_t i = 0; i < list_.size(); ++i) {
    if (!list_[i].operation->fits() || list_[i].restored) continue;
    Operation* const operation = list_[i].operation.get();
    stream(i, operation, [&](const Output& out) { operation->Absorb(*out.observations); });
    operation->FinishFit();
  }
  Report report;
  for (const Listed& listed : list_) report.operations.push_back({listed.name, {}, Json(), Json()});
  stream(list_.size(), nullptr, [&](const Output& out) {
    for (const Output::Reject& reject : out.rejects) {
      const std::string_view texts = out.texts;
      sink->Reject({report.read + reject.record + 1,
                    reject.stage == std::string::npos ? std::string_view("read") : list_[reject.stage].name,
                    texts.substr(reject.reason, reject.reason_size), texts.substr(reject.line, reject.line_size)});
    }
    if (!out.lines.empty()) sink->Append(out.lines, out.records);
    for (size_t i = 0; i < list_.size(); ++i) report.operations[i].tally.Add(out.tallies[i], report.read + 1);
    report.unreadable.Add(out.unreadable, report.read + 1);
    report.read += out.read;
    report.kept += out.records;
    report.bytes_in += out.bytes;
    report.bytes_out += out.lines.size();
    report.read_seconds += out.read_seconds;
    report.write_seconds += out.write_seconds;
  });
  for (size_t i = 0; i < list_.size(); ++i) {
    report.operations[i].fitted = list_[i].operation->Fitted();
    report.operations[i].findings = list_[i].operation->Findings();
  }
  report.seconds = MonotonicSeconds() - started;
  return report;
}

}  // namespace atelier::data::clean
