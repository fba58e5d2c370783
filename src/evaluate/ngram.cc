#include "evaluate/ngram.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "text/unicode.h"

namespace atelier::evaluate {
namespace {

constexpr uint32_t kBeginSymbol = 0, kEndSymbol = 1, kUnseenSymbol = 2, kFirstSymbol = 3;
constexpr double kCodePoints = 0x110000 - 0x800;  // without surrogates

uint64_t Key(uint32_t node, uint32_t symbol) { return (uint64_t{node} << 32) | symbol; }

double DiscountOf(const std::array<double, 3>& d, uint32_t count) { return d[std::min<uint32_t>(count, 3) - 1]; }

}  // namespace

NgramModel::NgramModel(int order) : order_(std::clamp(order, 1, kMostOrder)) { nodes_.emplace_back(); }

uint32_t NgramModel::Symbol(char32_t c) const {
  if (c == kEnd) return kEndSymbol;
  const auto it = symbols_.find(c);
  return it == symbols_.end() ? kUnseenSymbol : it->second;
}

uint32_t NgramModel::Child(uint32_t node, uint32_t symbol) const {
  if (node == kNone) return kNone;
  const auto it = children_.find(Key(node, symbol));
  return it == children_.end() ? kNone : it->second;
}

uint32_t NgramModel::AddChild(uint32_t node, uint32_t symbol, bool* fresh) {
  const auto [it, added] = children_.try_emplace(Key(node, symbol), static_cast<uint32_t>(nodes_.size()));
  *fresh = added;
  if (added) {
    Node child;
    child.parent = node;
    child.order = static_cast<uint8_t>(nodes_[node].order + 1);
    child.begins = nodes_[node].begins || (node == 0 && symbol == kBeginSymbol);
    nodes_.push_back(child);
  }
  return it->second;
}

NgramModel::Chain NgramModel::Begin() const {
  Chain chain;
  chain.fill(kNone);
  chain[0] = 0;
  chain[1] = Child(0, kBeginSymbol);
  return chain;
}

void NgramModel::Step(Chain* chain, uint32_t symbol) {
  Chain next;
  next.fill(kNone);
  next[0] = 0;
  std::array<bool, kMostOrder + 1> fresh{};
  for (size_t n = 1; n <= static_cast<size_t>(order_) && (*chain)[n - 1] != kNone; ++n) {
    next[n] = AddChild((*chain)[n - 1], symbol, &fresh[n]);
    ++nodes_[next[n]].count;
    if (n > 1 && fresh[n]) ++nodes_[next[n - 1]].before;
  }
  *chain = next;
}

void NgramModel::Follow(Chain* chain, uint32_t symbol) const {
  for (size_t n = static_cast<size_t>(order_); n >= 1; --n) (*chain)[n] = Child((*chain)[n - 1], symbol);
}

void NgramModel::Add(std::string_view text) {
  bool fresh = false;
  AddChild(0, kBeginSymbol, &fresh);
  Chain chain = Begin();
  for (const char32_t c : text::DecodeUtf8(text)) {
    const auto symbol = symbols_.try_emplace(c, kFirstSymbol + static_cast<uint32_t>(symbols_.size())).first->second;
    Step(&chain, symbol);
  }
  Step(&chain, kEndSymbol);
}

uint32_t NgramModel::Adjusted(const Node& node) const {
  return node.order == order_ || node.begins ? node.count : node.before;
}

void NgramModel::Finish() {
  if (nodes_.size() < 2) throw Error(Code::kInvalidInput, "no text to count characters of");
  // How many grams of each order have a = 1, 2, 3, 4; the mark of a beginning is asked of nobody.
  std::vector<std::array<double, 5>> having(static_cast<size_t>(order_));
  const auto asked = [&](const Node& node) { return node.order > 1 || !node.begins; };
  for (size_t i = 1; i < nodes_.size(); ++i) {
    const uint32_t a = Adjusted(nodes_[i]);
    if (asked(nodes_[i]) && a >= 1 && a <= 4) ++having[nodes_[i].order - 1u][a];
  }
  discounts_.assign(static_cast<size_t>(order_), {});
  for (size_t n = 0; n < discounts_.size(); ++n) {
    const auto& t = having[n];
    std::array<double, 3>& d = discounts_[n];
    const double y = t[1] / (t[1] + 2 * t[2]);
    for (size_t k = 1; k <= 3; ++k)
      d[k - 1] = static_cast<double>(k) - static_cast<double>(k + 1) * y * t[k + 1] / t[k];
    for (size_t k = 1; k <= 3; ++k) {
      if (d[k - 1] >= 0 && d[k - 1] <= static_cast<double>(k)) continue;  // a not-a-number is not
      d = {0.5, 1, 1.5};                                                  // too little text to estimate from
      break;
    }
  }
  for (size_t i = 1; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    const uint32_t a = Adjusted(node);
    if (!asked(node) || a == 0) continue;
    nodes_[node.parent].total += a;
    nodes_[node.parent].taken += DiscountOf(discounts_[node.order - 1u], a);
  }
  for (Node& node : nodes_) {
    if (node.total > 0) node.taken /= node.total;
  }
  finished_ = true;
}

double NgramModel::Probability(const Chain& context, uint32_t symbol) const {
  if (!finished_) throw Error(Code::kInternal, "NgramModel: not finished");
  double p = 1 / static_cast<double>(symbols_.size() + 2);
  for (size_t n = 1; n <= static_cast<size_t>(order_); ++n) {
    const uint32_t at = context[n - 1];
    if (at == kNone || nodes_[at].total == 0) break;
    p *= nodes_[at].taken;
    const uint32_t child = Child(at, symbol);
    if (child == kNone) continue;
    const uint32_t a = Adjusted(nodes_[child]);
    if (a > 0) p += (a - DiscountOf(discounts_[n - 1], a)) / nodes_[at].total;
  }
  return p;
}

double NgramModel::Probability(std::u32string_view context, bool begins, char32_t symbol) const {
  Chain chain = Begin();
  if (!begins) chain[1] = kNone;
  for (const char32_t c : context) Follow(&chain, Symbol(c));
  return Probability(chain, Symbol(symbol));
}

double NgramModel::Bits(std::string_view text, int64_t* unseen) const {
  Chain chain = Begin();
  double bits = 0;
  const double rest = std::log2(kCodePoints - static_cast<double>(symbols_.size()));
  for (const char32_t c : text::DecodeUtf8(text)) {
    const uint32_t symbol = Symbol(c);
    bits -= std::log2(Probability(chain, symbol));
    if (symbol == kUnseenSymbol) {
      bits += rest;
      if (unseen) ++*unseen;
    }
    Follow(&chain, symbol);
  }
  return bits - std::log2(Probability(chain, kEndSymbol));
}

}  // namespace atelier::evaluate
