// HTML to the text of its blocks, through gumbo, in a child where it matters (html_child.h). The tree is walked without
// recursion, and a page that nests without bound is refused before gumbo sees it: gumbo frees its tree recursively.
#include <gumbo.h>

#include <array>
#include <cstring>

#include "base/error.h"
#include "base/str.h"
#include "retrieve/document.h"
#include "text/unicode.h"

namespace atelier::retrieve {
namespace {

constexpr int kMostDepth = 400;
constexpr size_t kMostBlocks = 500'000;

// Tags whose end may be left out, or that have none: they cannot nest by themselves.
bool EndsByItself(std::string_view name) {
  static constexpr std::array<std::string_view, 33> kNames = {
      "p",  "li", "dt",    "dd",    "tr",   "td",   "th",   "thead", "tbody",   "tfoot",  "option",
      "br", "hr", "img",   "input", "meta", "link", "area", "base",  "col",     "embed",  "source",
      "rp", "rt", "track", "wbr",   "html", "head", "body", "param", "command", "keygen", "optgroup"};
  for (const std::string_view known : kNames) {
    if (name == known) return true;
  }
  return false;
}

// An upper bound of the depth that matters: opening tags that have not been closed.
void RefuseDepth(std::string_view html) {
  int depth = 0;
  for (size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
    const bool closing = at + 1 < html.size() && html[at + 1] == '/';
    size_t from = at + 1 + closing, to = from;
    while (to < html.size() && to - from < 16 && std::isalnum(static_cast<unsigned char>(html[to])) != 0) ++to;
    if (to == from) continue;
    if (EndsByItself(ToLowerAscii(html.substr(from, to - from)))) continue;
    if (closing) {
      if (depth > 0) --depth;
      continue;
    }
    const size_t end = html.find('>', to);
    if (end != std::string_view::npos && html[end - 1] == '/') continue;
    if (++depth > kMostDepth) {
      throw Error(Code::kInvalidInput, Cat("HTML that nests more than ", kMostDepth, " levels deep"),
                  "save the page as text, and add that");
    }
  }
}

// <a id="x"/> is how XHTML names a place; HTML5 would leave it open up to the end of the page.
std::string CloseAnchors(std::string_view html) {
  std::string out;
  out.reserve(html.size() + 4096);
  size_t from = 0;
  for (size_t at = html.find("<a "); at != std::string_view::npos; at = html.find("<a ", at + 1)) {
    const size_t end = html.find('>', at);
    if (end == std::string_view::npos) break;
    if (html[end - 1] != '/') continue;
    out += html.substr(from, end - 1 - from);
    out += "></a>";
    from = end + 1;
  }
  out += html.substr(from);
  return out;
}

bool HasWord(const char* list, std::string_view word) {
  for (const std::string& part : Split(list, ' ')) {
    if (part == word) return true;
  }
  return false;
}

class Walker {
 public:
  explicit Walker(Document* document) : document_(document) {}

  void Walk(const GumboNode* root) {
    struct Frame {
      const GumboNode* node;
      unsigned child;
    };
    std::vector<Frame> stack{{root, 0}};
    if (!Enter(root)) return;
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const bool parent = frame.node->type == GUMBO_NODE_ELEMENT || frame.node->type == GUMBO_NODE_TEMPLATE ||
                          frame.node->type == GUMBO_NODE_DOCUMENT;
      if (parent && frame.child < frame.node->v.element.children.length) {
        const auto* child = static_cast<const GumboNode*>(frame.node->v.element.children.data[frame.child++]);
        if (Enter(child)) stack.push_back({child, 0});
        continue;
      }
      Leave(frame.node);
      stack.pop_back();
    }
    Flush();
  }

  std::string title;

 private:
  static bool Skipped(const GumboElement& element) {
    switch (element.tag) {
      case GUMBO_TAG_SCRIPT:
      case GUMBO_TAG_STYLE:
      case GUMBO_TAG_NAV:
      case GUMBO_TAG_NOSCRIPT:
      case GUMBO_TAG_TEMPLATE:
      case GUMBO_TAG_IFRAME:
      case GUMBO_TAG_SVG:
      case GUMBO_TAG_BUTTON:
      case GUMBO_TAG_SELECT: return true;
      default: break;
    }
    const GumboAttribute* classes = gumbo_get_attribute(&element.attributes, "class");
    if (classes == nullptr) return false;
    for (const std::string_view boring : {"toc", "navheader", "navfooter", "list-of-tables", "list-of-figures"}) {
      if (HasWord(classes->value, boring)) return true;
    }
    return false;
  }

  static int HeadingLevel(GumboTag tag) {
    return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 ? 1 + static_cast<int>(tag) - static_cast<int>(GUMBO_TAG_H1) : 0;
  }

  static bool IsBlock(GumboTag tag) {
    switch (tag) {
      case GUMBO_TAG_P:
      case GUMBO_TAG_DIV:
      case GUMBO_TAG_LI:
      case GUMBO_TAG_DT:
      case GUMBO_TAG_DD:
      case GUMBO_TAG_UL:
      case GUMBO_TAG_OL:
      case GUMBO_TAG_DL:
      case GUMBO_TAG_BLOCKQUOTE:
      case GUMBO_TAG_SECTION:
      case GUMBO_TAG_ARTICLE:
      case GUMBO_TAG_HEADER:
      case GUMBO_TAG_FOOTER:
      case GUMBO_TAG_MAIN:
      case GUMBO_TAG_ASIDE:
      case GUMBO_TAG_FIGURE:
      case GUMBO_TAG_FIGCAPTION:
      case GUMBO_TAG_ADDRESS:
      case GUMBO_TAG_FORM:
      case GUMBO_TAG_BODY:
      case GUMBO_TAG_HR: return true;
      default: return HeadingLevel(tag) > 0;
    }
  }

  // A table of data: one with header cells or several cells in a row. Others only lay out a note and its picture.
  static bool IsData(const GumboNode* table) {
    const GumboAttribute* border = gumbo_get_attribute(&table->v.element.attributes, "border");
    return border == nullptr || std::strcmp(border->value, "0") != 0;
  }

  // False: neither the node nor what is below it counts.
  bool Enter(const GumboNode* node) {
    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE || node->type == GUMBO_NODE_CDATA) {
      Text(node->v.text.text);
      return false;
    }
    if (node->type == GUMBO_NODE_DOCUMENT) return true;
    if (node->type != GUMBO_NODE_ELEMENT) return false;
    const GumboElement& element = node->v.element;
    if (element.tag == GUMBO_TAG_TITLE) {
      in_title_ = true;
      return true;
    }
    if (Skipped(element)) return false;
    if (const GumboAttribute* id = gumbo_get_attribute(&element.attributes, "id"); id != nullptr && *id->value != 0) {
      (in_heading_ && !heading_id_.empty() ? spare_id_ : in_heading_ ? heading_id_ : spare_id_) = id->value;
    }
    if (element.tag == GUMBO_TAG_BR) {
      if (in_code_)
        Text("\n");
      else
        Space();
    } else if (element.tag == GUMBO_TAG_TABLE) {
      Flush();
      if (IsData(node) && tables_++ == 0) kind_ = BlockKind::kTable;
    } else if (element.tag == GUMBO_TAG_TR && tables_ > 0) {
      Newline();
    } else if ((element.tag == GUMBO_TAG_TD || element.tag == GUMBO_TAG_TH) && tables_ > 0) {
      while (!line_.empty() && line_.back() == ' ') line_.pop_back();
      if (!line_.empty() && line_.back() != '\n') line_ += " | ";
    } else if ((element.tag == GUMBO_TAG_TD || element.tag == GUMBO_TAG_TH)) {
      Flush();
    } else if (element.tag == GUMBO_TAG_PRE) {
      if (tables_ == 0) {
        Flush();
        in_code_ = true;
        kind_ = BlockKind::kCode;
      }
    } else if (const int level = HeadingLevel(element.tag); level > 0) {
      Flush();
      kind_ = BlockKind::kHeading;
      level_ = level;
      in_heading_ = true;
      const GumboAttribute* id = gumbo_get_attribute(&element.attributes, "id");
      heading_id_ = id != nullptr ? id->value : "";
    } else if (IsBlock(element.tag)) {
      if (tables_ > 0) {
        Space();
      } else {
        Flush();
        if (element.tag == GUMBO_TAG_LI || element.tag == GUMBO_TAG_DT || element.tag == GUMBO_TAG_DD) item_ = true;
      }
    }
    return true;
  }

  void Leave(const GumboNode* node) {
    if (node->type != GUMBO_NODE_ELEMENT) return;
    const GumboElement& element = node->v.element;
    if (element.tag == GUMBO_TAG_TITLE) in_title_ = false;
    if (element.tag == GUMBO_TAG_TABLE) {
      if (IsData(node)) --tables_;
      if (tables_ == 0) Flush();
    } else if (element.tag == GUMBO_TAG_PRE && in_code_) {
      Flush();
      in_code_ = false;
    } else if (HeadingLevel(element.tag) > 0) {
      Flush();
      in_heading_ = false;
    } else if (IsBlock(element.tag) && tables_ == 0) {
      Flush();
      if (element.tag == GUMBO_TAG_LI || element.tag == GUMBO_TAG_DD) item_ = false;
    }
  }

  void Space() {
    if (!line_.empty() && line_.back() != ' ' && line_.back() != '\n') line_ += ' ';
  }
  void Newline() {
    while (!line_.empty() && line_.back() == ' ') line_.pop_back();
    if (!line_.empty() && line_.back() != '\n') line_ += '\n';
  }

  void Text(const char* raw) {
    const std::string clean = text::SanitizeUtf8(raw);
    if (in_title_) {
      title += clean;
      return;
    }
    if (in_code_) {
      line_ += clean;
      return;
    }
    for (const char c : clean) {
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        Space();
      } else {
        line_ += c;
      }
    }
  }

  void Flush() {
    const BlockKind kind = kind_ != BlockKind::kParagraph ? kind_ : item_ ? BlockKind::kItem : BlockKind::kParagraph;
    std::string_view content = line_;
    if (kind == BlockKind::kCode) {
      while (!content.empty() && (content.front() == '\n' || content.front() == '\r')) content.remove_prefix(1);
      while (!content.empty() && (content.back() == '\n' || content.back() == ' ')) content.remove_suffix(1);
    } else {
      content = Trim(content);
    }
    if (!Trim(content).empty()) {
      if (document_->blocks.size() == kMostBlocks) {
        throw Error(Code::kInvalidInput, Cat("HTML of more than ", kMostBlocks, " paragraphs"), "split the page");
      }
      if (!document_->text.empty()) document_->text += "\n";
      Block block{kind, kind == BlockKind::kHeading ? level_ : 0, document_->text.size(), 0, ""};
      document_->text += content;
      block.end = document_->text.size();
      if (kind == BlockKind::kHeading) block.anchor = heading_id_.empty() ? spare_id_ : heading_id_;
      document_->blocks.push_back(std::move(block));
      spare_id_.clear();
      item_ = false;
    }
    line_.clear();
    if (tables_ == 0 && !in_heading_) kind_ = in_code_ ? BlockKind::kCode : BlockKind::kParagraph;
  }

  Document* document_;
  std::string line_, heading_id_, spare_id_;
  BlockKind kind_ = BlockKind::kParagraph;
  int level_ = 0, tables_ = 0;
  bool in_heading_ = false, in_code_ = false, in_title_ = false, item_ = false;
};

}  // namespace

void ReadHtml(std::string_view bytes, Document* document) {
  RefuseDepth(bytes);
  const std::string html = CloseAnchors(bytes);
  document->text.clear();
  document->blocks.clear();
  GumboOutput* output = gumbo_parse_with_options(&kGumboDefaultOptions, html.data(), html.size());
  Walker walker(document);
  try {
    walker.Walk(output->document);
  } catch (...) {
    gumbo_destroy_output(&kGumboDefaultOptions, output);
    throw;
  }
  gumbo_destroy_output(&kGumboDefaultOptions, output);
  if (document->title.empty()) document->title = std::string(Trim(walker.title));
}

}  // namespace atelier::retrieve
