#include "track/event_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/file.h"
#include "base/str.h"

namespace atelier::track {
namespace {

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0x82f63b78u : 0);
    table[i] = value;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = MakeTable();

// A message of protocol buffers, field by field.
class Message {
 public:
  Message& Varint(int field, uint64_t value) {
    Tag(field, 0);
    AppendVarint(value);
    return *this;
  }
  Message& Double(int field, double value) {
    Tag(field, 1);
    return Fixed(std::bit_cast<uint64_t>(value));
  }
  Message& Float(int field, float value) {
    Tag(field, 5);
    return Fixed(std::bit_cast<uint32_t>(value));
  }
  Message& Bytes(int field, std::string_view value) {
    Tag(field, 2);
    AppendVarint(value.size());
    out_ += value;
    return *this;
  }
  Message& Doubles(int field, const std::vector<double>& values) {  // packed
    Message packed;
    for (const double value : values) packed.Fixed(std::bit_cast<uint64_t>(value));
    return Bytes(field, packed.out_);
  }
  const std::string& text() const { return out_; }

 private:
  void Tag(int field, uint32_t type) { AppendVarint(static_cast<uint64_t>(field) << 3 | type); }
  void AppendVarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  template <typename T>
  Message& Fixed(T bits) {
    for (size_t i = 0; i < sizeof(T); ++i) out_.push_back(static_cast<char>(bits >> (8 * i)));
    return *this;
  }

  std::string out_;
};

Message Event(double time, int64_t step) { return Message().Double(1, time).Varint(2, static_cast<uint64_t>(step)); }

std::string SummaryEvent(double time, int64_t step, const Message& summary) {
  return Event(time, step).Bytes(5, summary.text()).text();
}

// SummaryMetadata for a plugin.
std::string Metadata(std::string_view plugin, std::string_view content, int data_class) {
  Message data;
  data.Bytes(1, plugin);
  if (!content.empty()) data.Bytes(2, content);
  return Message().Bytes(1, data.text()).Varint(4, static_cast<uint64_t>(data_class)).text();
}

constexpr int kTensorClass = 2;  // DataClass.DATA_CLASS_TENSOR

std::string HparamsEvent(double time, std::string_view tag, const Message& session) {
  constexpr int kFloat = 1;  // DataType.DT_FLOAT; the plugin's values are in its metadata, the tensor is empty
  const std::string no_values = Message().Bytes(2, Message().Varint(1, 0).text()).text();  // one dimension of size 0
  Message value;
  value.Bytes(1, tag);
  value.Bytes(8, Message().Varint(1, kFloat).Bytes(2, no_values).text());
  value.Bytes(9, Metadata("hparams", session.text(), kTensorClass));
  return SummaryEvent(time, 0, Message().Bytes(1, value.text()));
}

void AppendHparams(const Json& value, const std::string& key, Message* session) {
  if (value.is_object()) {
    for (const auto& [name, inner] : value.items()) {
      AppendHparams(inner, key.empty() ? name : Cat(key, ".", name), session);
    }
    return;
  }
  Message any;  // google.protobuf.Value
  if (value.is_boolean()) {
    any.Varint(4, value.get<bool>() ? 1 : 0);
  } else if (value.is_number()) {
    any.Double(2, value.get<double>());
  } else {
    any.Bytes(3, value.is_string() ? value.get<std::string>() : ToText(value));
  }
  session->Bytes(1, Message().Bytes(1, key).Bytes(2, any.text()).text());
}

}  // namespace

uint32_t Crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes) crc = kTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

uint32_t MaskedCrc32c(std::string_view bytes) { return std::rotr(Crc32c(bytes), 15) + 0xa282ead8u; }

std::string TfRecord(std::string_view message) {
  std::string out;
  const auto append = [&out](uint64_t bits, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(bits >> (8 * i)));
  };
  append(message.size(), 8);
  append(MaskedCrc32c(out), 4);
  out += message;
  append(MaskedCrc32c(message), 4);
  return out;
}

std::string FileVersionEvent(double time) { return Event(time, 0).Bytes(3, "brain.Event:2").text(); }

std::string SessionStartEvent(double time, int64_t step) {
  constexpr uint64_t kStart = 1;  // SessionLog.SessionStatus.START
  return Event(time, step).Bytes(7, Message().Varint(1, kStart).text()).text();
}

std::string ScalarsEvent(double time, int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  Message summary;
  for (const auto& [name, value] : values) {
    summary.Bytes(1, Message().Bytes(1, name).Float(2, static_cast<float>(value)).text());
  }
  return SummaryEvent(time, step, summary);
}

std::string TextEvent(double time, int64_t step, std::string_view name, std::string_view text) {
  constexpr uint64_t kString = 7;  // DataType.DT_STRING
  const std::string block = "    " + ReplaceAll(text, "\n", "\n    ");
  const std::string one = Message().Bytes(2, Message().Varint(1, 1).text()).text();  // one dimension of size 1
  Message value;
  value.Bytes(1, name);
  value.Bytes(8, Message().Varint(1, kString).Bytes(2, one).Bytes(8, block).text());
  value.Bytes(9, Metadata("text", "", kTensorClass));
  return SummaryEvent(time, step, Message().Bytes(1, value.text()));
}

std::string ImageEvent(double time, int64_t step, std::string_view name, const PngImage& image) {
  Message picture;
  picture.Varint(1, image.height).Varint(2, image.width).Varint(3, static_cast<uint64_t>(image.channels));
  picture.Bytes(4, image.png);
  return SummaryEvent(time, step, Message().Bytes(1, Message().Bytes(1, name).Bytes(4, picture.text()).text()));
}

std::string HistogramEvent(double time, int64_t step, std::string_view name, const HistogramData& histogram) {
  Message histo;
  histo.Double(1, histogram.min).Double(2, histogram.max).Double(3, static_cast<double>(histogram.count));
  histo.Double(4, histogram.sum).Double(5, histogram.sum_squares);
  // TensorBoard's buckets are told by their upper limits alone.
  histo.Doubles(6, std::vector<double>(histogram.edges.begin() + 1, histogram.edges.end()));
  histo.Doubles(7, std::vector<double>(histogram.counts.begin(), histogram.counts.end()));
  return SummaryEvent(time, step, Message().Bytes(1, Message().Bytes(1, name).Bytes(5, histo.text()).text()));
}

std::string HparamsStartEvent(double time, const Json& config) {
  Message session;  // SessionStartInfo
  AppendHparams(config, "", &session);
  session.Double(5, time);
  return HparamsEvent(time, "_hparams_/session_start_info", Message().Varint(1, 0).Bytes(3, session.text()));
}

std::string HparamsEndEvent(double time, bool succeeded) {
  const Message session = Message().Varint(1, succeeded ? 1 : 2).Double(2, time);  // SessionEndInfo: status, time
  return HparamsEvent(time, "_hparams_/session_end_info", Message().Varint(1, 0).Bytes(4, session.text()));
}

AppendFile CreateEventFile(const std::string& folder, double time, std::string_view first) {
  constexpr std::string_view kPrefix = "events.out.tfevents.";
  int64_t stamp = std::isfinite(time) && time > 0 && time < 1e11 ? static_cast<int64_t>(time) : 0;
  for (const std::string& name : ListFolder(folder)) {
    if (!name.starts_with(kPrefix)) continue;
    const std::string_view rest = std::string_view(name).substr(kPrefix.size());
    const std::optional<int64_t> other = ParseInt(rest.substr(0, rest.find('.')));
    if (other && *other < 100'000'000'000) stamp = std::max(stamp, *other + 1);
  }
  char host[256] = "localhost";
  if (::gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0') std::snprintf(host, sizeof(host), "localhost");
  const std::string safe = ReplaceAll(host, "/", "_");
  return AppendFile::Create(Cat(folder, "/", kPrefix, stamp, ".", safe, ".", static_cast<int64_t>(::getpid())), first);
}

}  // namespace atelier::track
