#include <gumbo.h>

#include <array>
#include <string>

#include "base/error.h"
#include "base/str.h"
#include "data/import/section.h"
#include "text/unicode.h"

namespace atelier::data {
namespace {

constexpr int kMostTreeDepth = 2000;      // of elements, in the tree
constexpr size_t kMostOpenTags = 20'000;  // gumbo frees its tree by recursion

// A bound on how deep the tree can get, before gumbo builds it: tags that open, less those that close. Tags that HTML
// closes by itself do not count.
void CheckNesting(std::string_view html) {
  constexpr std::array<std::string_view, 32> kShallow = {
      "p",   "li",    "br",     "img",      "hr",       "input", "meta", "link",  "td",     "tr",     "th",
      "dt",  "dd",    "option", "optgroup", "area",     "base",  "col",  "embed", "param",  "source", "track",
      "wbr", "thead", "tbody",  "tfoot",    "colgroup", "html",  "head", "body",  "script", "style"};
  size_t open = 0;
  for (size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
    if (at + 1 >= html.size()) break;
    if (html[at + 1] == '/') {
      open -= open > 0;
      continue;
    }
    size_t end = at + 1;
    while (end < html.size() && std::isalnum(static_cast<unsigned char>(html[end]))) ++end;
    const std::string name = ToLowerAscii(html.substr(at + 1, std::min<size_t>(end - at - 1, 12)));
    if (name.empty() || std::find(kShallow.begin(), kShallow.end(), name) != kShallow.end()) continue;
    if (++open > kMostOpenTags) {
      throw Error(Code::kInvalidInput, Cat("more than ", kMostOpenTags, " elements stand open inside each other"));
    }
  }
}

bool Skipped(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_SELECT:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_MATH:
    case GUMBO_TAG_HEAD: return true;
    default: return false;
  }
}

bool Inline(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_A:
    case GUMBO_TAG_ABBR:
    case GUMBO_TAG_ACRONYM:
    case GUMBO_TAG_B:
    case GUMBO_TAG_BDI:
    case GUMBO_TAG_BDO:
    case GUMBO_TAG_BIG:
    case GUMBO_TAG_CITE:
    case GUMBO_TAG_CODE:
    case GUMBO_TAG_DATA:
    case GUMBO_TAG_DEL:
    case GUMBO_TAG_DFN:
    case GUMBO_TAG_EM:
    case GUMBO_TAG_FONT:
    case GUMBO_TAG_I:
    case GUMBO_TAG_INS:
    case GUMBO_TAG_KBD:
    case GUMBO_TAG_LABEL:
    case GUMBO_TAG_MARK:
    case GUMBO_TAG_Q:
    case GUMBO_TAG_RUBY:
    case GUMBO_TAG_RB:
    case GUMBO_TAG_S:
    case GUMBO_TAG_SAMP:
    case GUMBO_TAG_SMALL:
    case GUMBO_TAG_SPAN:
    case GUMBO_TAG_STRIKE:
    case GUMBO_TAG_STRONG:
    case GUMBO_TAG_SUB:
    case GUMBO_TAG_SUP:
    case GUMBO_TAG_TIME:
    case GUMBO_TAG_TT:
    case GUMBO_TAG_U:
    case GUMBO_TAG_VAR: return true;
    default: return false;
  }
}

std::string_view Attribute(const GumboElement& element, const char* name) {
  const GumboAttribute* found = gumbo_get_attribute(&element.attributes, name);
  return found == nullptr ? std::string_view() : found->value;
}

bool Hidden(const GumboElement& element) {
  const std::string_view role = Attribute(element, "role");
  return role == "navigation" || role == "banner" || role == "contentinfo" || role == "search" ||
         Attribute(element, "aria-hidden") == "true" || gumbo_get_attribute(&element.attributes, "hidden") != nullptr;
}

class Walker {
 public:
  explicit Walker(Document* document) : document_(document), sections_(document) {}

  const GumboNode* FindMain(const GumboNode* node, int depth, int* count) {
    CheckDepth(depth);
    const GumboNode* found = nullptr;
    if (node->type != GUMBO_NODE_ELEMENT) return nullptr;
    if (node->v.element.tag == GUMBO_TAG_TITLE && document_->title.empty()) {
      const GumboVector& children = node->v.element.children;
      for (unsigned i = 0; i < children.length; ++i) {
        const auto* child = static_cast<const GumboNode*>(children.data[i]);
        if (child->type == GUMBO_NODE_TEXT) document_->title = Collapse(child->v.text.text);
      }
    }
    if (node->v.element.tag == GUMBO_TAG_MAIN || Attribute(node->v.element, "role") == "main") {
      ++*count;
      found = node;
    }
    const GumboVector& children = node->v.element.children;
    for (unsigned i = 0; i < children.length; ++i) {
      if (const GumboNode* below = FindMain(static_cast<const GumboNode*>(children.data[i]), depth + 1, count);
          below != nullptr && found == nullptr) {
        found = below;
      }
    }
    return found;
  }

  void Walk(const GumboNode* node, int depth, bool pre) {
    CheckDepth(depth);
    switch (node->type) {
      case GUMBO_NODE_TEXT:
      case GUMBO_NODE_CDATA:
      case GUMBO_NODE_WHITESPACE:
        if (pre) {
          line_ += node->v.text.text;
        } else {
          Append(node->v.text.text);
        }
        return;
      case GUMBO_NODE_ELEMENT: break;
      default: return;
    }
    const GumboElement& element = node->v.element;
    if (Skipped(element.tag) || Hidden(element)) return;
    const bool heading = element.tag >= GUMBO_TAG_H1 && element.tag <= GUMBO_TAG_H6;
    if (element.tag == GUMBO_TAG_BR) {
      Break(element.start_pos.line, false);
      return;
    }
    const bool cell = element.tag == GUMBO_TAG_TD || element.tag == GUMBO_TAG_TH;
    const bool block = !Inline(element.tag) && !cell;
    if (block) Break(element.start_pos.line, element.tag == GUMBO_TAG_P || element.tag == GUMBO_TAG_TABLE || heading);
    if (cell && !line_.empty()) line_ += " | ";
    if (element.tag == GUMBO_TAG_LI) line_ = "- ";
    for (unsigned i = 0; i < element.children.length; ++i) {
      Walk(static_cast<const GumboNode*>(element.children.data[i]), depth + 1, pre || element.tag == GUMBO_TAG_PRE);
    }
    if (heading) {
      const int level = static_cast<int>(element.tag) - static_cast<int>(GUMBO_TAG_H1) + 1;
      sections_.Heading(level, Collapse(std::exchange(line_, "")), element.start_pos.line);
    } else if (block) {
      Break(element.start_pos.line, element.tag == GUMBO_TAG_P || element.tag == GUMBO_TAG_TABLE);
    }
  }

  void Finish() {
    Break(0, false);
    sections_.Finish();
  }

 private:
  static void CheckDepth(int depth) {
    if (depth > kMostTreeDepth) {
      throw Error(Code::kInvalidInput, Cat("elements nested more than ", kMostTreeDepth, " deep"));
    }
  }
  // White space as a browser shows it: runs are one space.
  void Append(std::string_view text) {
    for (const char c : text) {
      const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f';
      if (!space) {
        line_.push_back(c);
      } else if (!line_.empty() && line_.back() != ' ') {
        line_.push_back(' ');
      }
    }
  }
  static std::string Collapse(std::string_view text) {
    std::string out;
    for (const char c : text) {
      const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f';
      if (!space) {
        out.push_back(c);
      } else if (!out.empty() && out.back() != ' ') {
        out.push_back(' ');
      }
    }
    while (out.ends_with(' ')) out.pop_back();
    return out;
  }
  void Break(unsigned line, bool paragraph) {
    while (!line_.empty() && (line_.back() == ' ' || line_.back() == '\n')) line_.pop_back();
    if (!line_.empty() && line_ != "-") sections_.Line(line_, line);
    line_.clear();
    if (paragraph) sections_.Line("", line);
  }

  Document* document_;
  SectionBuilder sections_;
  std::string line_;
};

}  // namespace

Document ExtractHtml(std::string_view html) {
  CheckNesting(html);
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  struct Tree {
    GumboOutput* output;
    ~Tree() { gumbo_destroy_output(&kGumboDefaultOptions, output); }
  } tree{gumbo_parse_with_options(&options, html.data(), html.size())};
  if (tree.output == nullptr) throw Error(Code::kInvalidInput, "not HTML");
  Document document;
  Walker walker(&document);
  int count = 0;
  const GumboNode* main = walker.FindMain(tree.output->root, 0, &count);
  walker.Walk(count == 1 ? main : tree.output->root, 0, false);
  walker.Finish();
  const auto clean = [](std::string& text) {
    text = text::SanitizeUtf8(ReplaceAll(text, std::string_view("\0", 1), ""));
  };
  clean(document.title);
  for (Section& section : document.sections) {
    clean(section.text);
    for (std::string& heading : section.headings) clean(heading);
  }
  return document;
}

}  // namespace atelier::data
