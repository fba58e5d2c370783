#include "runtime/call_reader.h"

#include <algorithm>

namespace atelier::runtime {
namespace {

using artefact::CallSyntax;

size_t SizeOf(const std::string& fixed) {
  const auto marks = static_cast<size_t>(std::count(fixed.begin(), fixed.end(), CallSyntax::kIdMark));
  return fixed.size() + marks * (CallSyntax::kIdSize - 1);
}

// REQUIRES: text.size() >= SizeOf(fixed).
bool Begins(std::string_view text, const std::string& fixed) {
  size_t at = 0;
  for (const char c : fixed) {
    if (c != CallSyntax::kIdMark && text[at] != c) return false;
    at += c == CallSyntax::kIdMark ? CallSyntax::kIdSize : 1;
  }
  return true;
}

// Where the longest tail of the text begins that could become `sign`, with the white space before it.
size_t HeldFrom(std::string_view text, std::string_view sign) {
  size_t size = std::min(text.size(), sign.size() - 1);
  while (size > 0 && !text.ends_with(sign.substr(0, size))) --size;
  size_t from = text.size() - size;
  while (from > 0 && std::string_view(" \t\r\n").find(text[from - 1]) != std::string_view::npos) --from;
  return from;
}

}  // namespace

std::vector<CallReader::Event> CallReader::Append(std::string_view piece) {
  held_ += piece;
  std::vector<Event> out;
  while (Advance(&out)) {
  }
  return out;
}

std::vector<CallReader::Event> CallReader::Finish() {
  std::vector<Event> out;
  const bool text = state_ == State::kPlain || (state_ == State::kText && !required_);
  if (text) Tell(Event::Kind::kText, held_.size(), &out);
  held_.clear();  // else a part of how calls are written
  return out;
}

bool CallReader::Advance(std::vector<Event>* out) {
  switch (state_) {
    case State::kText: return ReadText(out);
    case State::kPlain: Tell(Event::Kind::kText, held_.size(), out); return false;
    case State::kHead: return Skip(syntax_.head, State::kName);
    case State::kName: {
      const auto end = std::find_if_not(held_.begin(), held_.end(), artefact::IsNameChar);
      if (end == held_.end() || end == held_.begin()) return false;  // what has no name is no call
      out->push_back({Event::Kind::kName, std::string(held_.begin(), end)});
      held_.erase(held_.begin(), end);
      state_ = State::kMiddle;
      return true;
    }
    case State::kMiddle: return Skip(syntax_.middle, State::kArguments);
    case State::kArguments: return ReadArguments(out);
    case State::kAfter:
      return syntax_.between && held_.size() >= SizeOf(*syntax_.between) && Begins(held_, *syntax_.between) &&
             Skip(*syntax_.between, State::kName);
  }
  return false;
}

bool CallReader::ReadText(std::vector<Event>* out) {
  if (required_) {
    state_ = State::kHead;
    return true;
  }
  const std::string_view held = held_;
  if (!syntax_.text_before) {
    if (held.size() < syntax_.sign.size() && syntax_.sign.starts_with(held)) return false;
    state_ = held.starts_with(syntax_.sign) ? State::kHead : State::kPlain;
    return true;
  }
  const size_t at = held.find(syntax_.sign);
  const size_t until = HeldFrom(held.substr(0, at), at == std::string_view::npos ? syntax_.sign : " ");
  Tell(Event::Kind::kText, until, out);
  if (at == std::string_view::npos) return false;
  held_.erase(0, at - until);
  state_ = State::kHead;
  return true;
}

bool CallReader::ReadArguments(std::vector<Event>* out) {
  size_t end = 0;
  bool done = false;
  for (; end < held_.size() && !done; ++end) {
    const char c = held_[end];
    if (in_string_) {
      if (!escaped_ && c == '"') in_string_ = false;
      escaped_ = !escaped_ && c == '\\';
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (c == '}' || c == ']') {
      done = --depth_ == 0;
    }
  }
  Tell(Event::Kind::kArguments, end, out);
  if (done) state_ = State::kAfter;
  return done;
}

bool CallReader::Skip(const std::string& fixed, State then) {
  const size_t size = SizeOf(fixed);
  if (held_.size() < size) return false;
  held_.erase(0, size);
  state_ = then;
  return true;
}

void CallReader::Tell(Event::Kind kind, size_t size, std::vector<Event>* out) {
  if (size > 0) out->push_back({kind, held_.substr(0, size)});
  held_.erase(0, size);
}

}  // namespace atelier::runtime
