#include "rank/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "base/hash.h"

namespace atelier::rank {
namespace {

struct Group {
  uint64_t order = 0;
  std::string_view name;
  size_t size = 0;
};

std::vector<Group> Drawn(std::span<const std::string> groups, uint64_t seed) {
  std::map<std::string_view, size_t> sizes;
  for (const std::string& group : groups) ++sizes[group];
  std::vector<Group> drawn;
  for (const auto& [name, size] : sizes) drawn.push_back({Hash64(name, seed), name, size});
  std::stable_sort(drawn.begin(), drawn.end(), [](const Group& a, const Group& b) { return a.order < b.order; });
  return drawn;
}

}  // namespace

size_t CountGroups(std::span<const std::string> groups) { return Drawn(groups, 0).size(); }

std::vector<bool> HoldOut(std::span<const std::string> groups, double share, uint64_t seed) {
  const std::vector<Group> drawn = Drawn(groups, seed);
  const double room = share * static_cast<double>(groups.size());
  std::map<std::string_view, bool> held;
  size_t taken = 0;
  for (const Group& group : drawn) {
    if (static_cast<double>(taken + group.size) > room) continue;
    held[group.name] = true;
    taken += group.size;
  }
  if (taken == 0) {
    held[std::min_element(drawn.begin(), drawn.end(), [](const Group& a, const Group& b) {
           return a.size < b.size;
         })->name] = true;
  }
  std::vector<bool> out;
  for (const std::string& group : groups) out.push_back(held.contains(group));
  return out;
}

std::vector<size_t> Folds(std::span<const std::string> groups, size_t folds, uint64_t seed) {
  std::vector<Group> drawn = Drawn(groups, seed);
  std::stable_sort(drawn.begin(), drawn.end(), [](const Group& a, const Group& b) { return a.size > b.size; });
  std::vector<size_t> filled(folds, 0);
  std::map<std::string_view, size_t> fold;
  for (const Group& group : drawn) {
    const auto least = static_cast<size_t>(std::min_element(filled.begin(), filled.end()) - filled.begin());
    fold[group.name] = least;
    filled[least] += group.size;
  }
  std::vector<size_t> out;
  for (const std::string& group : groups) out.push_back(fold.at(group));
  return out;
}

size_t SimplestNearBest(std::span<const std::vector<double>> losses, std::span<const double> weights,
                        std::span<const std::string> groups, double errors) {
  double total = 0;
  for (const double weight : weights) total += weight;
  std::vector<double> means;
  for (const std::vector<double>& one : losses) {
    double sum = 0;
    for (size_t i = 0; i < one.size(); ++i) sum += weights[i] * one[i];
    means.push_back(sum / total);
  }
  const auto best = static_cast<size_t>(std::min_element(means.begin(), means.end()) - means.begin());
  for (size_t s = 0; s < best; ++s) {
    const double gap = means[s] - means[best];
    std::map<std::string_view, double> by_group;  // what each adds to the gap beyond its share
    for (size_t i = 0; i < weights.size(); ++i)
      by_group[groups[i]] += weights[i] * (losses[s][i] - losses[best][i] - gap);
    double squares = 0;
    for (const auto& [name, sum] : by_group) squares += sum * sum;
    const auto count = static_cast<double>(by_group.size());
    if (count > 1 && gap <= errors * std::sqrt(squares * count / (count - 1)) / total) return s;
  }
  return best;
}

}  // namespace atelier::rank
