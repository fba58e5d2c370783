// atelier segment --text FILE [--segmenter zh|icu] [--user-dict FILE] [--json]: text into words, line by line.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/segmenter_option.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// --json: {"segmenter":NAME,"lines":[[WORD,...],...]}, white space among the words, so that a line's words join to it.
// Otherwise the words of a line with a space between them, white space left out.
class SegmentCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    segmenter_.Declare(cli);
    cli.Text("--text", &text_, "the file to segment; - for standard input", true);
  }

  int Run(const Globals& globals) override {
    const auto segmenter = segmenter_.Load(globals);
    const std::string text = ReadFile(text_ == "-" ? "/dev/stdin" : text_);
    std::string out = globals.json ? Cat("{\"segmenter\":", ToText(Json(segmenter_.name())), ",\"lines\":[") : "";
    std::vector<std::string_view> words;
    size_t number = 0;
    for (size_t at = 0; at < text.size(); ++number) {
      const size_t end = std::min(text.find('\n', at), text.size());
      words.clear();
      segmenter->Segment(std::string_view(text).substr(at, end - at), &words);
      at = end + 1;
      if (globals.json) out += number == 0 ? "[" : ",[";
      bool first = true;
      for (const std::string_view word : words) {
        if (!globals.json && text::IsSpace(text::DecodeChar(word).c)) continue;
        if (!first) out += globals.json ? ',' : ' ';
        first = false;
        if (globals.json) {
          out += ToText(Json(word));
        } else {
          out += word;
        }
      }
      out += globals.json ? "]" : "\n";
      if (out.size() > (1u << 20)) {
        std::cout << out;
        out.clear();
      }
    }
    if (globals.json) out += "]}\n";
    std::cout << out;
    return 0;
  }

 private:
  SegmenterOption segmenter_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Command> MakeSegment() { return Make<SegmentCommand>(); }

}  // namespace atelier::app
