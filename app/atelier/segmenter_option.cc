#include "app/atelier/segmenter_option.h"

#include "app/atelier/studio_here.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::app {
namespace {

constexpr std::string_view kChineseModel = "segmenter-zh";

}  // namespace

void SegmenterOption::Declare(Cli& cli) {
  cli.Text("--segmenter", &choice_,
           "zh (the model segmenter-zh), icu, a model's name or path, or auto: zh where it has been pulled, else icu");
  cli.Text("--user-dict", &dictionary_, "words to keep whole: one per line, with a weight or none");
}

std::unique_ptr<text::Segmenter> SegmenterOption::Load(const Globals& globals) {
  std::shared_ptr<const text::UserDictionary> dictionary;
  if (!dictionary_.empty()) {
    const std::string bytes = ReadFile(dictionary_);
    dictionary_id_ = Cat("+dict-", Sha256Hex(bytes).substr(0, 12));
    dictionary = std::make_shared<text::UserDictionary>(text::UserDictionary::Parse(bytes, dictionary_));
  }
  std::string choice = choice_ == "zh" ? std::string(kChineseModel) : choice_;
  if (choice == "icu") {
    name_ = "icu";
    return text::MakeIcuSegmenter(dictionary);
  }
  const auto here = OpenHere(globals);
  if (choice == "auto") {
    choice = kChineseModel;
    bool have = false;
    for (const artefact::ModelEntry& entry : here->models->List()) have |= entry.name == kChineseModel && entry.present;
    if (!have) {
      name_ = "icu";
      return text::MakeIcuSegmenter(dictionary);
    }
  }
  const artefact::ModelEntry entry = here->models->Resolve(choice);
  name_ = entry.name;
  const auto map = MappedFile::Open(entry.path);
  auto model = text::SegmenterModel::Parse({reinterpret_cast<const char*>(map->data()), map->size()}, entry.path);
  return text::MakeModelSegmenter(std::move(model), dictionary);
}

evaluate::WordSource SegmenterOption::LoadWords(const Globals& globals) {
  std::shared_ptr<const text::Segmenter> segmenter = Load(globals);
  return {name_ + dictionary_id_, std::move(segmenter)};
}

}  // namespace atelier::app
