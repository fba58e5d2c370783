#include "retrieve/chunk.h"

#include <algorithm>

#include "base/str.h"
#include "text/sentences.h"
#include "text/unicode.h"

namespace atelier::retrieve {
namespace {

struct Piece {
  size_t begin, end;
  int tokens;
  bool prose;      // a sentence: may be said again
  bool new_block;  // first of its block
};

class Chunker {
 public:
  Chunker(const Document& document, const ChunkOptions& options) : document_(document), options_(options) {}

  std::vector<Chunk> Run() {
    for (const Block& block : document_.blocks) {
      if (block.kind == BlockKind::kHeading) {
        Close();
        while (!path_.empty() && path_.back()->level >= block.level) path_.pop_back();
        path_.push_back(&block);
        held_ = &block;
        continue;
      }
      AddBlock(block);
    }
    Close();
    CountPositions();
    return std::move(chunks_);
  }

 private:
  std::string_view View(size_t begin, size_t end) const {
    return std::string_view(document_.text).substr(begin, end - begin);
  }

  // Cuts [begin, end) so that no piece has more than `most` tokens; at spaces where there are some.
  void AddCut(size_t begin, size_t end, bool prose, bool new_block) {
    const std::string_view text = View(begin, end);
    const int tokens = EstimateTokens(text);
    if (tokens <= options_.most) {
      pieces_.push_back({begin, end, tokens, prose, new_block});
      return;
    }
    size_t from = 0;
    while (from < text.size()) {
      size_t at = from, space = 0;
      int used = 0;
      // By strides of at most 64 bytes: an estimate of a part is at most a few tokens off that of the whole.
      while (at < text.size()) {
        size_t next = std::min(at + 64, text.size());
        while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0) == 0x80) ++next;
        const int more = EstimateTokens(text.substr(at, next - at));
        if (used + more > options_.most && at > from) break;
        used += more;
        const size_t blank = text.substr(at, next - at).find_last_of(" \n\t");
        if (blank != std::string_view::npos) space = at + blank + 1;
        at = next;
      }
      if (at < text.size() && space > from + (at - from) / 2) at = space;
      pieces_.push_back(
          {begin + from, begin + at, EstimateTokens(text.substr(from, at - from)), prose, new_block && from == 0});
      from = at;
    }
  }

  void AddBlock(const Block& block) {
    held_ = nullptr;
    const std::string_view text = View(block.begin, block.end);
    const bool prose = block.kind == BlockKind::kParagraph || block.kind == BlockKind::kItem;
    if (EstimateTokens(text) <= options_.most && !prose) {
      AddCut(block.begin, block.end, false, true);
      return;
    }
    bool first = true;
    size_t at = block.begin;
    if (prose) {
      for (const std::string_view sentence : text::Sentences(text)) {
        AddCut(at, at + sentence.size(), true, first);
        at += sentence.size();
        first = false;
      }
      return;
    }
    while (at < block.end) {  // lines of a table or of code
      size_t next = document_.text.find('\n', at);
      next = next == std::string::npos || next >= block.end ? block.end : next + 1;
      AddCut(at, next, false, first);
      at = next;
      first = false;
    }
  }

  // Makes chunks of the section's pieces.
  void Close() {
    size_t from = 0;
    while (from < pieces_.size()) {
      size_t to = from;
      int tokens = 0;
      while (to < pieces_.size()) {
        const Piece& piece = pieces_[to];
        if (to > from && tokens + piece.tokens > options_.most) break;
        if (to > from && tokens >= options_.target) break;
        // A block that would be torn, and is not long: better whole in the next chunk.
        if (to > from && piece.new_block && tokens >= options_.target / 2) {
          int block = piece.tokens;
          for (size_t i = to + 1; i < pieces_.size() && !pieces_[i].new_block; ++i) block += pieces_[i].tokens;
          if (tokens + block > options_.most && block <= options_.most) break;
        }
        tokens += piece.tokens;
        ++to;
      }
      // What little is left after this chunk comes with it.
      int rest = 0;
      for (size_t i = to; i < pieces_.size() && rest <= options_.most; ++i) rest += pieces_[i].tokens;
      if (rest > 0 && rest <= options_.target / 4 && tokens + rest <= options_.most) to = pieces_.size();
      Emit(pieces_[from].begin, pieces_[to - 1].end);
      if (to == pieces_.size()) break;
      size_t again = to;
      int said = 0;
      while (again > from + 1 && pieces_[again - 1].prose && said + pieces_[again - 1].tokens <= options_.overlap) {
        said += pieces_[--again].tokens;
      }
      from = again;
    }
    pieces_.clear();
    // A heading with nothing below it is still something that people ask for.
    if (held_ != nullptr) {
      const Block& heading = *held_;
      path_.pop_back();
      Emit(heading.begin, heading.end);
      chunks_.back().anchor = heading.anchor.empty() ? chunks_.back().anchor : heading.anchor;
      path_.push_back(&heading);
      held_ = nullptr;
    }
  }

  void Emit(size_t begin, size_t end) {
    const std::string_view text = document_.text;
    while (end > begin &&
           (text[end - 1] == ' ' || text[end - 1] == '\n' || text[end - 1] == '\r' || text[end - 1] == '\t'))
      --end;
    if (begin >= end) return;
    Chunk chunk;
    chunk.begin = begin;
    chunk.end = end;
    for (const Block* heading : path_) {
      if (!chunk.headings.empty()) chunk.headings += '\x1f';
      chunk.headings += ReplaceAll(View(heading->begin, heading->end), "\x1f", " ");
      if (!heading->anchor.empty()) chunk.anchor = heading->anchor;
    }
    chunks_.push_back(std::move(chunk));
  }

  void CountPositions() {
    // Begins grow with the chunks, ends too: one walk counts both.
    std::vector<std::pair<size_t, size_t*>> wanted;
    for (Chunk& chunk : chunks_) {
      wanted.emplace_back(chunk.begin, &chunk.begin_char);
      wanted.emplace_back(chunk.end, &chunk.end_char);
    }
    std::sort(wanted.begin(), wanted.end());
    size_t at = 0, chars = 0;
    for (const auto& [byte, target] : wanted) {
      for (; at < byte; ++at) chars += (static_cast<unsigned char>(document_.text[at]) & 0xC0) != 0x80;
      *target = chars;
    }
  }

  const Document& document_;
  const ChunkOptions& options_;
  std::vector<const Block*> path_;
  const Block* held_ = nullptr;  // a heading that nothing has followed yet
  std::vector<Piece> pieces_;
  std::vector<Chunk> chunks_;
};

}  // namespace

std::vector<Chunk> ChunkDocument(const Document& document, const ChunkOptions& options) {
  return Chunker(document, options).Run();
}

std::string PassageText(const Document& document, const Chunk& chunk) {
  std::string text = ReplaceAll(chunk.headings, "\x1f", " > ");
  if (!text.empty()) text += "\n";
  text += std::string_view(document.text).substr(chunk.begin, chunk.end - chunk.begin);
  return text;
}

int EstimateTokens(std::string_view text) {
  // In tenths. A word costs one token and another for every four letters beyond six.
  int64_t tenths = 0;
  size_t word = 0;
  const auto end_word = [&] {
    if (word > 0) tenths += 13 + (word > 6 ? static_cast<int64_t>((word - 3) / 4) * 10 : 0);
    word = 0;
  };
  for (size_t at = 0; at < text.size();) {
    const unsigned char byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      ++at;
      if (std::isalnum(byte) != 0) {
        ++word;
        continue;
      }
      end_word();
      if (byte != ' ' && byte != '\n' && byte != '\t' && byte != '\r') tenths += 8;
      continue;
    }
    const text::DecodedChar c = text::DecodeChar(text.substr(at));
    at += c.length;
    const uint16_t properties = text::Properties(c.c);
    if ((properties & text::kLetter) != 0 && (properties & text::kHan) == 0 && c.c < 0x2E80) {
      ++word;
      continue;
    }
    end_word();
    tenths += (properties & text::kHan) != 0 ? 7 : 12;
  }
  end_word();
  return static_cast<int>(std::min<int64_t>((tenths + 9) / 10, 1 << 30));
}

}  // namespace atelier::retrieve
