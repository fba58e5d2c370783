#include "data/collect.h"

#include "base/error.h"
#include "base/str.h"
#include "store/data_use.h"

namespace atelier::data {
namespace {

constexpr size_t kHashDigits = 64, kPathDigits = 62;  // "ab/cdef...": the first two name the folder

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Takes out of `left` what the studio still refers to.
void Mark(store::Studio& studio, const Datasets& datasets, const store::DataUse& alone, std::set<std::string>* left,
          const ProgressFn& progress) {
  const auto mark = [&](std::string_view text) {
    for (const std::string& named : NamedIn(text, *left)) left->erase(named);
  };
  uint64_t done = 0;
  for (const std::string& name : datasets.Names()) {
    for (const int version : datasets.Versions(name)) {
      if (left->empty()) return;
      if (progress) progress(done++, 0, Cat(name, "@", version));
      DatasetReader(datasets.Path({name, version}), &alone).ReadAll([&](std::string_view lines) {
        mark(lines);
        return !left->empty();
      });
    }
  }
  std::vector<std::string> tables;
  {
    store::Statement names =
        studio.db().Prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    while (names.Step()) tables.push_back(names.Text(0));
  }
  for (const std::string& table : tables) {
    store::Statement rows = studio.db().Prepare(Cat("SELECT * FROM \"", ReplaceAll(table, "\"", "\"\""), "\""));
    while (!left->empty() && rows.Step()) {
      for (int column = 0; column < rows.columns(); ++column) mark(rows.Text(column));
    }
  }
}

}  // namespace

std::set<std::string> NamedIn(std::string_view text, const std::set<std::string>& hashes) {
  std::set<std::string> named;
  for (size_t at = 0; at < text.size();) {
    if (!IsHex(text[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && IsHex(text[end])) ++end;
    std::string name;
    if (end - at == kHashDigits) name = text.substr(at, kHashDigits);
    if (end - at == kPathDigits && at >= 3 && text[at - 1] == '/' && IsHex(text[at - 2]) && IsHex(text[at - 3])) {
      name = Cat(text.substr(at - 3, 2), text.substr(at, kPathDigits));
    }
    if (!name.empty() && hashes.contains(name)) named.insert(std::move(name));
    at = end;
  }
  return named;
}

std::set<std::string> ObjectsOf(store::Studio& studio, const Datasets& datasets, const DatasetRef& ref) {
  const std::vector<std::string> here = studio.objects().Hashes();
  const std::set<std::string> hashes(here.begin(), here.end());
  std::set<std::string> named;
  if (hashes.empty()) return named;
  const std::vector<int> versions = ref.version != 0 ? std::vector<int>{ref.version} : datasets.Versions(ref.name);
  for (const int version : versions) {
    DatasetReader(datasets.Path({ref.name, version})).ReadAll([&](std::string_view lines) {
      named.merge(NamedIn(lines, hashes));
      return true;
    });
  }
  return named;
}

namespace {

Collected CollectAlone(store::Studio& studio, const Datasets& datasets, const store::DataUse& alone,
                       std::set<std::string> candidates, bool dry, const ProgressFn& progress) {
  Collected collected;
  const size_t all = candidates.size();
  if (all > 0) Mark(studio, datasets, alone, &candidates, progress);
  collected.kept = all - candidates.size();
  const store::Objects objects = studio.objects();
  for (const std::string& hash : candidates) {
    collected.bytes += dry ? objects.Size(hash) : objects.Remove(hash);
    ++collected.objects;
  }
  return collected;
}

}  // namespace

Collected Collect(store::Studio& studio, const Datasets& datasets, std::set<std::string> candidates, bool dry,
                  const ProgressFn& progress) {
  if (candidates.empty()) return {};
  const std::optional<store::DataUse> alone = store::DataUse::TryAlone(datasets.folder());
  if (!alone) return {.busy = true};
  return CollectAlone(studio, datasets, *alone, std::move(candidates), dry, progress);
}

Collected CollectAll(store::Studio& studio, const Datasets& datasets, bool dry, const ProgressFn& progress) {
  const std::optional<store::DataUse> alone = store::DataUse::TryAlone(datasets.folder());
  if (!alone) return {.busy = true};
  const std::vector<std::string> here = studio.objects().Hashes();
  Collected collected = CollectAlone(studio, datasets, *alone, {here.begin(), here.end()}, dry, progress);
  collected.bytes += studio.objects().RemoveHalves(dry);
  return collected;
}

}  // namespace atelier::data
