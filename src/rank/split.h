// Which choices are learned from and which are held out: whole groups, in an order that their names and a seed give, so
// that neither the file's order nor a new line moves a choice from one side to the other more than it must.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace atelier::rank {

// True for those held out. Goes through the groups in their order and takes each that still fits into `share` of all
// choices; where none does, the smallest. REQUIRES: at least two groups.
std::vector<bool> HoldOut(std::span<const std::string> groups, double share, uint64_t seed);

// The fold, from 0, of each choice: groups by size, each into the fold with the fewest choices so far.
// REQUIRES: 2 <= folds <= number of groups.
std::vector<size_t> Folds(std::span<const std::string> groups, size_t folds, uint64_t seed);

size_t CountGroups(std::span<const std::string> groups);

// Which of several settings to take, the simplest first: the first whose mean loss is above the least by no more than
// so many standard errors of the difference, which is taken over groups, since what one reader chose hangs together
// (Breiman et al. 1984 for trees; here paired). `losses` [settings][choices].
size_t SimplestNearBest(std::span<const std::vector<double>> losses, std::span<const double> weights,
                        std::span<const std::string> groups, double errors = 1);

}  // namespace atelier::rank
