#include "data/clean/row.h"

#include <simdjson.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/error.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::data::clean {
namespace {

constexpr size_t kMostRowFields = 4096;
constexpr size_t kMostRowDepth = 64;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// RFC 8259's number: no leading zeros, no bare point.
bool IsNumber(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t from = at;
    while (at < text.size() && IsAsciiDigit(text[at])) ++at;
    return at - from;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const size_t first = at;
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

int HexDigit(char c) {
  if (IsAsciiDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int Hex4(const char* p) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(p[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

char* PutUtf8(char* out, uint32_t c) {
  if (c < 0x80) {
    *out++ = static_cast<char>(c);
  } else if (c < 0x800) {
    *out++ = static_cast<char>(0xC0 | c >> 6);
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    *out++ = static_cast<char>(0xE0 | c >> 12);
    *out++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | c >> 18);
    *out++ = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  }
  return out;
}

// The string behind `body`, which is what stands between the quotes. Says what is wrong, or "".
std::string_view Unescape(std::string_view body, Arena* arena, std::string_view* text) {
  const void* first = std::memchr(body.data(), '\\', body.size());
  if (first == nullptr) {
    *text = body;
    return "";
  }
  char* const begin = arena->Take(body.size());
  char* out = begin;
  const char* in = body.data();
  const char* const end = in + body.size();
  const char* next = static_cast<const char*>(first);
  while (true) {
    std::memcpy(out, in, static_cast<size_t>(next - in));
    out += next - in;
    if (next == end) break;
    in = next + 1;
    if (in == end) return "a string that ends in a backslash";
    const char kind = *in++;
    switch (kind) {
      case '"': *out++ = '"'; break;
      case '\\': *out++ = '\\'; break;
      case '/': *out++ = '/'; break;
      case 'b': *out++ = '\b'; break;
      case 'f': *out++ = '\f'; break;
      case 'n': *out++ = '\n'; break;
      case 'r': *out++ = '\r'; break;
      case 't': *out++ = '\t'; break;
      case 'u': {
        if (end - in < 4) return "a \\u escape that is cut off";
        int c = Hex4(in);
        if (c < 0) return "a \\u escape that is not hexadecimal";
        in += 4;
        if (c == 0) return "a NUL character";
        if (c >= 0xDC00 && c <= 0xDFFF) return "a lone surrogate";
        if (c >= 0xD800 && c <= 0xDBFF) {
          const int low = end - in >= 6 && in[0] == '\\' && in[1] == 'u' ? Hex4(in + 2) : -1;
          if (low < 0xDC00 || low > 0xDFFF) return "a lone surrogate";
          c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
          in += 6;
        }
        out = PutUtf8(out, static_cast<uint32_t>(c));
        break;
      }
      default: return "an unknown escape in a string";
    }
    const void* found = std::memchr(in, '\\', static_cast<size_t>(end - in));
    next = found == nullptr ? end : static_cast<const char*>(found);
  }
  *text = std::string_view(begin, static_cast<size_t>(out - begin));
  arena->Trim(begin, text->size());
  return "";
}

}  // namespace

char* Arena::Take(size_t size) {
  const size_t needed = size + kPadding;
  while (chunk_ < chunks_.size() && chunks_[chunk_].size - used_ < needed) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    const size_t made = std::max(kChunk, needed);
    chunks_.push_back({std::make_unique<char[]>(made), made});
    used_ = 0;
  }
  char* place = chunks_[chunk_].bytes.get() + used_;
  used_ += needed;
  return place;
}

void Arena::Trim(char* begin, size_t used) {
  used_ = static_cast<size_t>(begin - chunks_[chunk_].bytes.get()) + used + kPadding;
}

std::string_view Arena::Copy(std::string_view text) {
  char* place = Take(text.size());
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void Arena::Clear() {
  // One huge record must not keep its memory for ever.
  while (chunks_.size() > 8) chunks_.pop_back();
  std::erase_if(chunks_, [](const Chunk& chunk) { return chunk.size > 8 * kChunk; });
  chunk_ = used_ = 0;
}

Field* Row::Find(std::string_view key, size_t* hint) {
  if (*hint < fields.size() && fields[*hint].key == key) return &fields[*hint];
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].key == key) {
      *hint = i;
      return &fields[i];
    }
  }
  return nullptr;
}

void Row::Note(const Field& field, std::string_view now) {
  ++changes;
  if (has_example) return;
  has_example = true;
  before = field.text;
  after = now;
}

void Row::SetText(Field* field, std::string_view text) {
  if (field->kind == Kind::kText && field->text == text) return;
  Note(*field, text);
  field->kind = Kind::kText;
  field->text = text;
  field->changed = true;
  field->surveyed = field->tokenised = false;
}

void Row::SetNumber(Field* field, double value) {
  char buffer[40];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  const std::string_view text(buffer, static_cast<size_t>(result.ptr - buffer));
  if (field->kind == Kind::kNumber && field->text == text) return;
  const std::string_view kept = arena_->Copy(text);
  Note(*field, kept);
  field->kind = Kind::kNumber;
  field->raw = field->text = kept;
  field->changed = false;
}

void Row::SetNull(Field* field) {
  if (field->kind == Kind::kNull) return;
  Note(*field, "null");
  field->kind = Kind::kNull;
  field->raw = field->text = "null";
  field->changed = false;
}

Field* Row::Place(std::string_view key) {
  for (Field& field : fields) {
    if (field.key == key) return &field;
  }
  fields.emplace_back();
  fields.back().key = key;
  return &fields.back();
}

Field* Row::AddText(std::string_view key, std::string_view text) {
  Field* field = Place(key);
  SetText(field, text);
  return field;
}

Field* Row::AddNumber(std::string_view key, double value) {
  Field* field = Place(key);
  SetNumber(field, value);
  return field;
}

void Row::Remove(Field* field) {
  Note(*field, "");
  fields.erase(fields.begin() + (field - fields.data()));
}

std::optional<double> Row::Number(const Field& field) {
  if (field.kind != Kind::kNumber) return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(field.text.data(), field.text.data() + field.text.size(), value);
  if (result.ec != std::errc() || !std::isfinite(value)) return std::nullopt;
  return value;
}

void Row::Write(std::string* out, bool ids) {
  const Field* id = nullptr;
  for (const Field& field : fields) {
    if (field.key == "_id") id = &field;
  }
  if (changes == 0 && (!ids || (id != nullptr && id == fields.data()))) {
    out->append(line).push_back('\n');
    return;
  }
  const auto put = [&](const Field& field) {
    out->push_back('"');
    out->append(field.key);
    out->append("\":");
    if (field.changed) {
      AppendJsonString(out, field.text);
    } else {
      out->append(field.raw);
    }
    out->push_back(',');
  };
  constexpr std::string_view kBlank = "{\"_id\":\"00000000000000000000000000000000\",";
  const size_t from = out->size();
  out->append(ids ? kBlank : std::string_view("{"));
  written_.clear();
  for (const Field& field : fields) {
    if (field.ours()) continue;
    const size_t at = out->size();
    put(field);
    // Places first, views when the buffer has stopped growing.
    written_.push_back({field.key, std::string_view(nullptr, out->size() - at)});
  }
  if (ids) {
    size_t at = from + kBlank.size();
    for (LineField& field : written_) {
      const size_t size = field.value.size();  // "key":value,
      const size_t head = field.key.size() + 3;
      field = {std::string_view(*out).substr(at + 1, field.key.size()),
               std::string_view(*out).substr(at + head, size - head - 1)};
      at += size;
    }
    const XXH128_hash_t hash = hasher_.Hash(written_);
    static constexpr char kHex[] = "0123456789abcdef";
    char* digits = out->data() + from + 8;
    for (int i = 0; i < 16; ++i) {
      digits[i] = kHex[hash.high64 >> (60 - 4 * i) & 15];
      digits[16 + i] = kHex[hash.low64 >> (60 - 4 * i) & 15];
    }
  }
  for (const Field& field : fields) {
    if (field.ours() && !(ids && field.key == "_id")) put(field);
  }
  if (out->back() == ',') out->pop_back();
  out->append("}\n");
}

void AppendJsonString(std::string* out, std::string_view text) {
  out->push_back('"');
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
#if defined(__SSE2__)
    // Sixteen bytes without anything to escape at once.
    while (i + 16 <= text.size()) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
      const __m128i low = _mm_cmpeq_epi8(_mm_subs_epu8(v, _mm_set1_epi8(0x1F)), _mm_setzero_si128());
      const __m128i odd = _mm_or_si128(
          low, _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
      const int mask = _mm_movemask_epi8(odd);
      if (mask != 0) {
        i += static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
        break;
      }
      i += 16;
    }
    if (i == text.size()) break;
#endif
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out->append(text.substr(from, i - from));
    from = i + 1;
    switch (c) {
      case '"': out->append("\\\""); break;
      case '\\': out->append("\\\\"); break;
      case '\n': out->append("\\n"); break;
      case '\r': out->append("\\r"); break;
      case '\t': out->append("\\t"); break;
      case '\b': out->append("\\b"); break;
      case '\f': out->append("\\f"); break;
      default: {
        static constexpr char kHex[] = "0123456789abcdef";
        out->append("\\u00");
        out->push_back(kHex[c >> 4]);
        out->push_back(kHex[c & 15]);
      }
    }
  }
  out->append(text.substr(from));
  out->push_back('"');
}

// simdjson's first stage finds every structural character and validates UTF-8 and control characters, for the whole
// block at once; the records are flat, so what is left is a walk over those positions. Only a block in which something
// is wrong is indexed line by line.
struct RowReader::State {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  size_t capacity = 0;
  simdjson::dom::parser nested;
  simdjson::error_code error = simdjson::SUCCESS;
};

RowReader::RowReader() : state_(std::make_unique<State>()) {}
RowReader::~RowReader() = default;

bool RowReader::Index(std::string_view text) {
  if (text.size() > state_->capacity) {
    const size_t capacity = std::max<size_t>(text.size(), 1u << 16);
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, kMostRowDepth,
                                                                                state_->stage)) {
      throw Error(Code::kResourceExhausted, Cat("no memory to read a block of ", FormatBytes(text.size())));
    }
    state_->capacity = capacity;
  }
  state_->error =
      state_->stage->stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(), simdjson::stage1_mode::regular);
  base_ = static_cast<size_t>(text.data() - block_.data());
  token_ = 0;
  return !state_->error;
}

void RowReader::Start(std::string_view block) {
  block_ = block;
  at_ = 0;
  whole_ = block.empty() || Index(block);
}

bool RowReader::Next(Row* row, std::string_view* wrong) {
  *wrong = "";
  while (at_ < block_.size()) {
    const void* feed = std::memchr(block_.data() + at_, '\n', block_.size() - at_);
    const size_t end =
        feed == nullptr ? block_.size() : static_cast<size_t>(static_cast<const char*>(feed) - block_.data());
    const std::string_view line = block_.substr(at_, end - at_);
    const bool blank = std::all_of(line.begin(), line.end(), IsSpace);
    if (blank) {
      at_ = end + 1;
      continue;
    }
    row->line = line;
    row->fields.clear();
    row->changes = 0;
    row->has_example = false;
    if (!whole_ && !Index(line)) {
      switch (state_->error) {
        case simdjson::UTF8_ERROR: *wrong = "invalid UTF-8"; break;
        case simdjson::UNESCAPED_CHARS: *wrong = "a control character in a string"; break;
        case simdjson::UNCLOSED_STRING: *wrong = "a string that does not end"; break;
        default: *wrong = "not JSON";
      }
    } else {
      *wrong = ReadLine(row, end);
      if (whole_ && !wrong->empty()) {
        // Whatever was wrong, the next line starts behind this one.
        const uint32_t* index = state_->stage->structural_indexes.get();
        while (token_ < state_->stage->n_structural_indexes && base_ + index[token_] < end) ++token_;
      }
    }
    at_ = end + 1;
    return true;
  }
  return false;
}

std::string_view RowReader::ReadLine(Row* row, size_t end) {
  const uint32_t* index = state_->stage->structural_indexes.get();
  const size_t tokens = state_->stage->n_structural_indexes;
  const char* const data = block_.data();
  const auto peek = [&]() -> size_t { return token_ < tokens ? std::min(base_ + index[token_], end) : end; };
  // What stands from `from` to the next token, without white space behind it.
  const auto scalar = [&](size_t from) {
    size_t to = peek();
    while (to > from && IsSpace(data[to - 1])) --to;
    return std::string_view(data + from, to - from);
  };
  size_t at = peek();
  if (at == end || data[at] != '{') return "not a JSON object";
  ++token_;
  at = peek();
  if (at < end && data[at] == '}') {
    ++token_;
    return peek() == end ? "" : "text behind the object";
  }
  while (true) {
    at = peek();
    if (at == end || data[at] != '"') return "a field without a name";
    ++token_;
    const std::string_view key = scalar(at);
    if (key.size() < 2 || key.back() != '"') return "a field's name that does not end";
    at = peek();
    if (at == end || data[at] != ':') return "a field's name without a colon";
    ++token_;
    at = peek();
    if (at == end) return "a field without a value";
    ++token_;
    if (row->fields.size() == kMostRowFields) return "more than 4096 fields";
    Field& field = row->fields.emplace_back();
    field.key = key.substr(1, key.size() - 2);
    if (std::memchr(field.key.data(), '\\', field.key.size()) != nullptr) {
      // Names are compared as they are written, so each may be written in one way only.
      std::string_view plain;
      if (const std::string_view wrong = Unescape(field.key, row->arena(), &plain); !wrong.empty()) return wrong;
      std::string again;
      AppendJsonString(&again, plain);
      field.key = row->arena()->Copy(std::string_view(again).substr(1, again.size() - 2));
    }
    for (const Field& other : row->fields) {
      if (&other != &field && other.key == field.key) return "a field's name that comes twice";
    }
    const char first = data[at];
    if (first == '"') {
      field.kind = Kind::kText;
      field.raw = scalar(at);
      if (field.raw.size() < 2 || field.raw.back() != '"') return "a string that does not end";
      const std::string_view wrong = Unescape(field.raw.substr(1, field.raw.size() - 2), row->arena(), &field.text);
      if (!wrong.empty()) return wrong;
      // What was escaped is written anew if the record is, since an id stands on the fewest escapes.
      field.changed = field.text.data() != field.raw.data() + 1;
    } else if (first == '{' || first == '[') {
      size_t depth = 1;
      while (depth > 0) {
        const size_t inner = peek();
        if (inner == end) return "a nested value that does not end";
        ++token_;
        if (data[inner] == '{' || data[inner] == '[') ++depth;
        if (data[inner] == '}' || data[inner] == ']') --depth;
      }
      field.kind = Kind::kNested;
      field.raw = field.text = scalar(at);
      simdjson::dom::element ignored;
      if (state_->nested.parse(field.raw.data(), field.raw.size(), true).get(ignored)) return "not JSON inside a value";
    } else {
      field.raw = field.text = scalar(at);
      if (field.raw == "null") {
        field.kind = Kind::kNull;
      } else if (field.raw == "true" || field.raw == "false") {
        field.kind = Kind::kBool;
      } else if (IsNumber(field.raw)) {
        field.kind = Kind::kNumber;
      } else {
        return "a value that is not JSON";
      }
    }
    at = peek();
    if (at == end) return "an object that does not end";
    ++token_;
    if (data[at] == '}') return peek() == end ? "" : "text behind the object";
    if (data[at] != ',') return "fields without a comma between them";
  }
}

}  // namespace atelier::data::clean
