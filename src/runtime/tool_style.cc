#include "runtime/tool_style.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"
#include "text/unicode.h"

namespace atelier::runtime {
namespace {

using artefact::CallSyntax;

// Texts that no template holds. The letter before the content is one that nothing else begins with, so that what two
// renderings share ends where they differ.
constexpr const char* kNames[] = {"probe_alpha", "probe_beta", "probe_gamma"};
constexpr const char* kIds[] = {"aQ3xW7zB1", "kY5vT9mD4", "pC8nL2sH6"};
constexpr const char *kContent = "Жprobe words", *kResult = "Жprobe result";

constexpr size_t kLongestTail = 200;  // what is longer is no part of a call
constexpr size_t kLongestArguments = 1024, kMostBraces = 64;

Json Arguments(int which) {
  if (which == 0) return {{"probe_key", {{"深", {1, true, nullptr, "\"q\" é"}}}}};
  return {{"other_probe_key", which}};
}

Json Tools() {
  Json tools = Json::array();
  for (const char* name : kNames) {
    tools.push_back({{"type", "function"},
                     {"function",
                      {{"name", name},
                       {"description", "Probes."},
                       {"parameters",
                        {{"type", "object"},
                         {"properties", {{"a", {{"type", "string"}, {"description", "A."}}}}},
                         {"required", {"a"}}}}}}});
  }
  return tools;
}

Json User() { return {{"role", "user"}, {"content", "probe question"}}; }
Json Says() { return {{"role", "assistant"}, {"content", kContent}}; }
Json Calls(int count, const Json& content) {
  Json calls = Json::array();
  for (int i = 0; i < count; ++i) {
    calls.push_back(
        {{"id", kIds[i]}, {"type", "function"}, {"function", {{"name", kNames[i]}, {"arguments", Arguments(i)}}}});
  }
  return {{"role", "assistant"}, {"content", content}, {"tool_calls", calls}};
}
Json Result() { return {{"role", "tool"}, {"tool_call_id", kIds[0]}, {"name", kNames[0]}, {"content", kResult}}; }

size_t SharedBeginning(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

// The JSON value that begins at `begin`, as long as arguments of probes are; npos where none ends.
size_t EndOfJson(std::string_view text, size_t begin) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = begin; i < text.size() && i < begin + kLongestArguments; ++i) {
    if (in_string) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        in_string = false;
    } else if (text[i] == '"') {
      in_string = true;
    } else if (text[i] == '{' || text[i] == '[') {
      ++depth;
    } else if ((text[i] == '}' || text[i] == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Where an object stands in a text.
std::optional<std::pair<size_t, size_t>> FindJson(std::string_view text, size_t from, const Json& object) {
  for (size_t tries = 0; tries < kMostBraces; ++tries) {
    const size_t at = text.find('{', from);
    if (at == std::string_view::npos) break;
    from = at + 1;
    const size_t end = EndOfJson(text, at);
    if (end == std::string_view::npos) continue;
    if (Json::parse(text.substr(at, end - at), nullptr, false) == object) return std::pair(at, end);
  }
  return std::nullopt;
}

// The beginning by which a call is known: its tag or token, else all that comes before the name, without punctuation
// that models may leave out or write otherwise.
std::string SignOf(std::string_view head) {
  if (head.front() == '<' && head.find('>') != std::string_view::npos)
    return std::string(head.substr(0, head.find('>') + 1));
  const size_t bracket = head.find(']');
  if (head.front() == '[' && bracket < head.find_first_of("{\"")) return std::string(head.substr(0, bracket + 1));
  const size_t end = head.find_last_not_of(" \":\n");
  return std::string(head.substr(0, end + 1));
}

// Where a tag that two renderings share the beginning of ("<|START_") begins; `at` itself outside tags.
size_t BeforeTag(std::string_view text, size_t at, size_t least) {
  const size_t open = text.substr(0, at).rfind('<');
  const bool inside = open != std::string_view::npos && open >= least &&
                      text.substr(open, at - open).find('>') == std::string_view::npos;
  return inside ? open : at;
}

class Learner {
 public:
  explicit Learner(const RenderFn& render) : render_(render) {}

  ToolStyle Learn() {
    const auto prompt = Render({User()}, true);
    if (!prompt || prompt->find(kNames[0]) == std::string::npos) {
      throw Error(Code::kUnsupported, "the model's chat template shows no tools",
                  "use a model that was trained to call them");
    }
    prompt_ = *prompt;
    const auto says = Render({User(), Says()}, false);
    for (const bool as_text : {false, true}) {
      for (const bool null : {false, true}) {
        style_ = {.arguments_as_text = as_text, .null_content = null};
        if (says && LearnCall(*says)) {
          LearnRest();
          return style_;
        }
      }
    }
    throw Error(Code::kUnsupported, "the model's chat template writes calls in a way that is not supported",
                "supported are a name and, after it, arguments in JSON");
  }

 private:
  std::optional<std::string> Render(Json messages, bool prompt) const {
    try {
      std::string text = render_(
          {{"messages", MessagesInStyle(style_, messages)}, {"tools", Tools()}, {"add_generation_prompt", prompt}});
      return text::IsValidUtf8(text) ? std::optional(std::move(text)) : std::nullopt;
    } catch (const Error&) {
      return std::nullopt;  // it does not take such messages
    }
  }
  // What stands there whatever is called.
  static bool IsFixed(const std::string& text) { return text.find("probe") == std::string::npos; }
  static std::string WithMarks(std::string text) {
    for (const char* id : kIds) text = ReplaceAll(text, id, std::string(1, CallSyntax::kIdMark));
    return text;
  }

  bool LearnCall(const std::string& says) {
    const auto calls = Render({User(), Calls(1, "")}, false);
    const size_t content = says.find(kContent);
    if (!calls || content == std::string::npos) return false;
    end_of_message_ = says.substr(content + std::string_view(kContent).size());
    // What answers in words and calls have in common is no part of a call; nor what the prompt has.
    const size_t least = calls->starts_with(prompt_) ? prompt_.size() : 0;
    start_ = BeforeTag(*calls, std::max(SharedBeginning(says, *calls), least), least);
    while (start_ > 0 && start_ < calls->size() && (static_cast<uint8_t>((*calls)[start_]) & 0xC0) == 0x80) --start_;
    const size_t name = calls->find(kNames[0], start_);
    if (name == std::string::npos) return false;
    const size_t name_end = name + std::string_view(kNames[0]).size();
    const auto arguments = FindJson(*calls, name_end, Arguments(0));
    if (!arguments) return false;
    const std::string head = WithMarks(calls->substr(start_, name - start_));
    CallSyntax& syntax = style_.syntax;
    syntax.head = head.substr(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
    syntax.middle = WithMarks(calls->substr(name_end, arguments->first - name_end));
    syntax.tail = WithMarks(WithoutEnd(calls->substr(arguments->second)));
    if (style_.null_content && syntax.head.find("None") != std::string::npos) return false;  // it shows the null
    if (syntax.head.empty() || syntax.head.front() == CallSyntax::kIdMark) return false;
    if (syntax.middle.empty() || artefact::IsNameChar(syntax.middle.front())) return false;
    if (syntax.middle.front() == CallSyntax::kIdMark) return false;
    if (syntax.middle.back() == '{') return false;  // the template has braces of its own: what is inside is no JSON
    if (syntax.tail.size() > kLongestTail) return false;
    if (!IsFixed(syntax.head) || !IsFixed(syntax.middle) || !IsFixed(syntax.tail)) return false;
    syntax.sign = SignOf(syntax.head);
    style_.short_ids = calls->find(kIds[0], start_) != std::string::npos;
    first_ = calls->substr(0, arguments->second);
    return !syntax.sign.empty() && syntax.sign.find(CallSyntax::kIdMark) == std::string::npos;
  }

  std::string WithoutEnd(std::string text) const {
    if (text.ends_with(end_of_message_)) text.resize(text.size() - end_of_message_.size());
    return text;
  }

  void LearnRest() {
    CallSyntax& syntax = style_.syntax;
    if (const auto three = Render({User(), Calls(3, "")}, false)) syntax.between = Between(*three);
    // What ends the calls would be taken for one more.
    if (syntax.between && syntax.tail.starts_with(*syntax.between)) syntax.between.reset();
    const auto both = Render({User(), Calls(1, kContent)}, false);
    syntax.text_before = both && both->find(kContent) < both->rfind(kNames[0]) && both->find(kContent) >= start_;
    const auto answered = Render({User(), Calls(1, ""), Result()}, true);
    style_.shows_results = answered && answered->find(kResult) != std::string::npos;
  }

  // Nothing where later calls are written otherwise than the first, or not at all.
  std::optional<std::string> Between(const std::string& three) const {
    if (!three.starts_with(first_)) return std::nullopt;
    std::optional<std::string> between;
    size_t at = first_.size();
    for (int i = 1; i < 3; ++i) {
      const size_t name = three.find(kNames[i], at), name_end = name + std::string_view(kNames[i]).size();
      if (name == std::string::npos) return std::nullopt;
      const auto arguments = FindJson(three, name_end, Arguments(i));
      if (!arguments) return std::nullopt;
      if (WithMarks(three.substr(name_end, arguments->first - name_end)) != style_.syntax.middle) return std::nullopt;
      const std::string here = WithMarks(three.substr(at, name - at));
      if (here.empty() || !IsFixed(here) || (between && *between != here)) return std::nullopt;
      between = here;
      at = arguments->second;
    }
    if (WithMarks(WithoutEnd(three.substr(at))) != style_.syntax.tail) return std::nullopt;
    return between;
  }

  const RenderFn& render_;
  ToolStyle style_;
  std::string prompt_, first_, end_of_message_;
  size_t start_ = 0;
};

// The same nine letters and digits for the same id.
std::string ShortId(const std::string& id) {
  const bool fits = id.size() == CallSyntax::kIdSize && std::all_of(id.begin(), id.end(), [](char c) {
                      return artefact::IsNameChar(c) && c != '_' && c != '-';
                    });
  if (fits) return id;
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out;
  for (uint64_t hash = Hash64(id); out.size() < CallSyntax::kIdSize; hash /= kLetters.size()) {
    out.push_back(kLetters[hash % kLetters.size()]);
  }
  return out;
}

}  // namespace

ToolStyle LearnToolStyle(const RenderFn& render) { return Learner(render).Learn(); }

Json MessagesInStyle(const ToolStyle& style, const Json& messages) {
  Json out = messages;
  for (Json& message : out) {
    if (style.short_ids && message.contains("tool_call_id")) {
      message["tool_call_id"] = ShortId(message["tool_call_id"].get<std::string>());
    }
    if (!message.contains("tool_calls")) continue;
    Json& content = message["content"];
    if (content.is_null() || content == "") content = style.null_content ? Json() : Json("");
    for (Json& call : message["tool_calls"]) {
      Json& arguments = call["function"]["arguments"];
      if (style.arguments_as_text) arguments = ToText(arguments);
      if (style.short_ids) call["id"] = ShortId(call["id"].get<std::string>());
    }
  }
  return out;
}

}  // namespace atelier::runtime
