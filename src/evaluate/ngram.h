// Character n-gram language model with interpolated, modified Kneser-Ney smoothing: what simple counting does, which
// bits per character of a trained model are held against (Kneser & Ney 1995; Chen & Goodman 1999; estimated as Heafield
// et al. 2013, section 3, lay out).
//
//   p(w | h) = (a(hw) - D(a(hw))) / sum_x a(hx) + g(h) p(w | h without its first),   g(h): what the discounts took
//   p(w)     = (a(w) - D(a(w))) / sum_x a(x) + g() / V
//
// a: how often hw occurs for the greatest order and for grams that begin a text, else before how many different
// characters; D has three values per order, for a = 1, 2 and more; V counts the characters seen, a text's end and one
// that stands for all unseen ones. Where h was never seen, p(w | h) = p(w | h without its first).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace atelier::evaluate {

class NgramModel {
 public:
  static constexpr int kMostOrder = 10;

  explicit NgramModel(int order);  // 1..kMostOrder
  // Counts a text: its characters and its end. Before Finish.
  void Add(std::string_view text);
  // Estimates the discounts. Throws kInvalidInput when no text was added.
  void Finish();

  // -log2 of a text's probability, its end included. A character that was never seen costs besides what one out of all
  // code points costs.
  double Bits(std::string_view text, int64_t* unseen = nullptr) const;

  int order() const { return order_; }
  int64_t grams() const { return static_cast<int64_t>(nodes_.size()) - 1; }     // the mark of a beginning is one
  int64_t characters() const { return static_cast<int64_t>(symbols_.size()); }  // different ones
  const std::array<double, 3>& discounts(int order) const { return discounts_[static_cast<size_t>(order - 1)]; }

  // p(symbol | context), both by code points; kEnd for a text's end, kUnseen for the unseen; a context longer than
  // order - 1 is cut in front, `begins` says that the text begins with it.
  static constexpr char32_t kEnd = 0x110000, kUnseen = 0x110001;
  double Probability(std::u32string_view context, bool begins, char32_t symbol) const;

 private:
  // A gram is a node of a trie; its parent is the gram without its last symbol. Node 0 is the empty gram.
  struct Node {
    uint32_t parent = 0, count = 0;
    uint32_t before = 0;  // different symbols seen before it
    uint8_t order = 0;
    bool begins = false;
    // Over its children, after Finish.
    uint32_t total = 0;
    double taken = 0;  // g
  };
  using Chain = std::array<uint32_t, kMostOrder + 1>;  // the grams that end at a place, by order; kNone where not seen
  static constexpr uint32_t kNone = ~0u;

  uint32_t Symbol(char32_t c) const;
  uint32_t Child(uint32_t node, uint32_t symbol) const;
  uint32_t AddChild(uint32_t node, uint32_t symbol, bool* fresh);
  void Step(Chain* chain, uint32_t symbol);
  void Follow(Chain* chain, uint32_t symbol) const;
  Chain Begin() const;
  double Probability(const Chain& context, uint32_t symbol) const;
  uint32_t Adjusted(const Node& node) const;

  int order_;
  bool finished_ = false;
  std::unordered_map<char32_t, uint32_t> symbols_;
  std::vector<Node> nodes_;
  std::unordered_map<uint64_t, uint32_t> children_;
  std::vector<std::array<double, 3>> discounts_;
};

}  // namespace atelier::evaluate
