#include "retrieve/html_child.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::retrieve {
namespace {

[[noreturn]] void Nonsense(std::string_view why) {
  throw Error(Code::kInvalidInput, Cat("the reader of HTML went astray: ", why));
}

}  // namespace

Json HtmlToJson(const Document& document) {
  Json blocks = Json::array();
  for (const Block& block : document.blocks) {
    blocks.push_back({static_cast<int>(block.kind), block.level, block.begin, block.end, block.anchor});
  }
  return {{"title", document.title}, {"text", document.text}, {"blocks", std::move(blocks)}};
}

void HtmlFromJson(const Json& json, Document* document) {
  try {
    std::string text = json.at("text"), title = json.at("title");
    std::vector<Block> blocks;
    size_t end = 0;
    for (const Json& from : json.at("blocks")) {
      const auto kind = from.at(0).get<uint64_t>();
      if (kind > static_cast<uint64_t>(BlockKind::kCode)) Nonsense("a block of no known kind");
      const auto level = from.at(1).get<uint64_t>();
      Block block{static_cast<BlockKind>(kind), static_cast<int>(level), from.at(2).get<size_t>(),
                  from.at(3).get<size_t>(), from.at(4)};
      const bool heading = block.kind == BlockKind::kHeading;
      if (level > 6 || heading != (level > 0)) Nonsense("a heading of no level");
      if (block.begin < end || block.end < block.begin || block.end > text.size()) {
        Nonsense("a block that is not in its text");
      }
      end = block.end;
      blocks.push_back(std::move(block));
    }
    document->text = std::move(text);
    document->blocks = std::move(blocks);
    if (document->title.empty()) document->title = std::move(title);
  } catch (const nlohmann::json::exception&) {
    Nonsense("it is not a document");
  }
}

HtmlReader ReadHtmlInChild(std::string program, data::ChildLimits limits) {
  return [program = std::move(program), limits](std::string_view bytes, Document* document) {
    const std::string read =
        data::ReadInChild({program, "index", "read-html"}, std::string(bytes), limits, "the reader of HTML");
    HtmlFromJson(ParseJson(read, "the reader of HTML's document", 4), document);
  };
}

}  // namespace atelier::retrieve
