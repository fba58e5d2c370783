#include "operators/shape.h"

#include <algorithm>

#include "base/str.h"
#include "operators/checks/about.h"
#include "operators/checks/checks.h"

namespace atelier::operators {
namespace {

bool IsMark(std::string_view c) {
  if (c.size() == 1) return std::isalnum(static_cast<unsigned char>(c[0])) == 0;
  for (const std::string_view mark :
       {"，", "。", "、", "；", "：", "！", "？", "（", "）", "“", "”", "‘", "’", "—", "…", "·", "《", "》"}) {
    if (c == mark) return true;
  }
  return false;
}

size_t CharBytes(std::string_view text, size_t at) {
  size_t size = 1;
  while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0) == 0x80) ++size;
  return size;
}

// 1 inside [low, high], falling to 0 over `slack` outside.
double Within(size_t value, size_t low, size_t high, double slack) {
  const double off = value < low    ? static_cast<double>(low - value)
                     : value > high ? static_cast<double>(value - high)
                                    : 0;
  return std::max(0.0, 1 - off / slack);
}

// What the body says again, the name apart: features of the sheet, and the headline's own words.
size_t Echoes(std::string_view headline, std::string_view body, const std::vector<std::string>& pieces,
              std::string_view name) {
  const std::string head = ToLowerAscii(headline), rest = ToLowerAscii(body);
  size_t echoes = 0;
  for (const std::string& piece : pieces) {
    const std::string lower = ToLowerAscii(piece);
    if (piece != name && head.find(lower) != std::string::npos && rest.find(lower) != std::string::npos) echoes += 2;
  }
  std::vector<std::string> sheet;
  for (const std::string& piece : pieces) {
    for (std::string& one : Content(piece)) sheet.push_back(std::move(one));
  }
  const std::vector<std::string> said = Content(body);
  for (const std::string& own : Content(headline)) {
    const bool known = std::find(sheet.begin(), sheet.end(), own) != sheet.end();
    if (!known && std::find(said.begin(), said.end(), own) != said.end()) ++echoes;
  }
  return echoes;
}

}  // namespace

Shape MeasureShape(std::string_view text, const std::vector<std::string>& pieces, std::string_view name) {
  const std::string lower = ToLowerAscii(text), lower_name = ToLowerAscii(name);
  Shape shape;
  bool after_piece = false, mark = false;  // since the last piece: nothing of the text's own; a mark
  for (size_t at = 0; at < lower.size();) {
    const auto piece = std::find_if(pieces.begin(), pieces.end(), [&](const std::string& one) {
      return !one.empty() && lower.compare(at, one.size(), ToLowerAscii(one)) == 0;
    });
    if (piece != pieces.end()) {
      shape.joins += after_piece && mark;
      shape.named += ToLowerAscii(*piece) == lower_name;
      for (size_t i = 0; i < piece->size(); i += CharBytes(*piece, i)) {
        shape.chars += !IsMark(std::string_view(*piece).substr(i, CharBytes(*piece, i)));
      }
      at += piece->size();
      after_piece = true;
      mark = false;
      continue;
    }
    const size_t size = CharBytes(lower, at);
    if (IsMark(std::string_view(lower).substr(at, size))) {
      mark = mark || lower[at] != ' ';
    } else {
      ++shape.own;
      ++shape.chars;
      after_piece = false;
    }
    at += size;
  }
  return shape;
}

std::vector<std::string> SheetPieces(const recipe::Record& record) {
  std::vector<std::string> pieces;
  for (const std::string& line : Split(SheetText(record), '\n')) {
    const std::string piece(Trim(line));
    if (piece.size() > 1 && piece != record.lang) pieces.push_back(piece);
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
  return pieces;
}

double RateShape(const recipe::Record& record, std::string_view headline, std::string_view body) {
  const std::vector<std::string> pieces = SheetPieces(record);
  const std::string name(Trim(SheetText(record, "name")));
  const Shape head = MeasureShape(headline, pieces, name), rest = MeasureShape(body, pieces, name);
  const bool zh = record.lang == "zh";
  double head_own = head.own >= (zh ? 2u : 3u) ? 1 : head.own > 0 ? 0.7 : 0.2;
  head_own -= 0.3 * static_cast<double>(head.joins);
  if (zh && head.own == 0 && head.joins == 1) head_own = 0.4;  // 记账小本，离线可用: bare, but it is how people speak
  const double head_length = zh ? Within(head.chars, 7, 16, 8) : Within(head.chars, 14, 42, 16);
  // Three features side by side make two joins, which is no fault; a phrase of the body's own has to carry them.
  const double body_own = zh ? Within(rest.own, 5, 24, 8) : Within(rest.own, 9, 60, 14);
  const double body_joins = 1 - 0.3 * static_cast<double>(rest.joins > 2 ? rest.joins - 2 : 0);
  const size_t named = head.named + rest.named;
  const double once = named <= 1 ? 1 : named == 2 ? 0.6 : 0;
  const double echoes = 0.1 * static_cast<double>(std::min<size_t>(4, Echoes(headline, body, pieces, name)));
  const double built = 0.3 * std::max(0.0, head_own) + 0.15 * head_length + 0.25 * body_own +
                       0.15 * std::max(0.0, body_joins) + 0.15 * once;
  return std::max(0.0, built - echoes);
}

}  // namespace atelier::operators
