#include "rank/choices.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "rank/features.h"

namespace atelier::rank {
namespace {

[[noreturn]] void Refuse(const std::string& where, const std::string& why, const std::string& hint = "") {
  throw Error(Code::kInvalidInput, Cat(where, ": ", why), hint);
}

void OnlyKeys(const Json& object, std::initializer_list<const char*> known, const std::string& where) {
  for (const auto& item : object.items()) {
    if (std::any_of(known.begin(), known.end(), [&](const char* one) { return item.key() == one; })) continue;
    std::vector<std::string> names(known.begin(), known.end());
    const std::string near = Nearest(item.key(), names);
    Refuse(where, Cat("unknown key ", Quote(item.key())),
           near.empty() ? Cat("there are ", Join(names, ", ")) : Cat("did you mean ", near, "?"));
  }
}

std::string TextOf(const Json& object, const std::string& key, const std::string& where) {
  const auto at = object.find(key);
  if (at == object.end()) Refuse(where, Cat(key, " is missing"));
  if (!at->is_string()) Refuse(where, Cat(key, " is no text"));
  const auto& text = at->get_ref<const std::string&>();
  if (Trim(text).empty()) Refuse(where, Cat(key, " is empty"));
  return text;
}

double NumberOf(const Json& value, const std::string& what, const std::string& where, double least, double most) {
  const double number = value.is_number() ? value.get<double>() : NAN;
  if (!(number >= least && number <= most)) {
    Refuse(where, Cat(what, " is ", Quote(ToText(value)), ", no number from ", least, " to ", most));
  }
  return number;
}

artefact::RankOption ReadOption(const Json& json, const std::string& where, double* gain) {
  if (!json.is_object()) Refuse(where, "an option is an object with a text");
  OnlyKeys(json, {"text", "features", "clicked", "gain"}, where);
  artefact::RankOption option;
  option.text = TextOf(json, "text", where);
  if (const auto features = json.find("features"); features != json.end()) {
    if (!features->is_object()) Refuse(where, "features is no object");
    for (const auto& item : features->items()) {
      if (item.key().empty()) Refuse(where, "a feature has no name");
      option.features[item.key()] =
          item.value().is_boolean()
              ? (item.value().get<bool>() ? 1 : 0)
              : NumberOf(item.value(), Cat("the feature ", Quote(item.key())), where, -kMostValue, kMostValue);
    }
  }
  const auto clicked = json.find("clicked"), worth = json.find("gain");
  if (clicked != json.end() && worth != json.end()) Refuse(where, "it has both clicked and gain", "one says it");
  if (clicked != json.end() && !clicked->is_boolean()) Refuse(where, "clicked is neither true nor false");
  if (clicked != json.end()) *gain = clicked->get<bool>() ? 1 : 0;
  if (worth != json.end()) *gain = NumberOf(*worth, "gain", where, 0, 1e6);
  return option;
}

void ReadGroupAndWeight(const Json& json, const std::string& where, Choice* choice) {
  if (const auto group = json.find("group"); group != json.end()) {
    if (!group->is_string() && !group->is_number_integer()) Refuse(where, "group is neither a text nor a whole number");
    choice->group = group->is_string() ? group->get<std::string>() : ToText(*group);
    if (choice->group.empty()) Refuse(where, "group is empty");
  } else {
    const std::string text = ContextText(choice->context);
    choice->group = text.empty() ? where : Cat("context ", text);
  }
  if (const auto weight = json.find("weight"); weight != json.end())
    choice->weight = NumberOf(*weight, "weight", where, 1e-6, 1e6);
}

}  // namespace

Choice ParseChoice(std::string_view line, const std::string& where, const PairFields& fields) {
  const Json json = ParseJson(line, where, 32);
  if (!json.is_object()) Refuse(where, "a choice is a JSON object");
  Choice choice;
  if (!json.contains("options")) {
    if (!json.contains(fields.chosen)) {
      Refuse(where, Cat("it has neither options nor ", Quote(fields.chosen)),
             R"({"context": ..., "options": [{"text": ..., "clicked": true}, ...]}, or a pair)");
    }
    if (const auto prompt = json.find(fields.prompt); prompt != json.end()) choice.context = *prompt;
    choice.options = {{TextOf(json, fields.chosen, where), {}}, {TextOf(json, fields.rejected, where), {}}};
    choice.gains = {1, 0};
    ReadGroupAndWeight(json, where, &choice);
    return choice;
  }
  OnlyKeys(json, {"context", "options", "group", "weight", "_id"}, where);
  if (const auto context = json.find("context"); context != json.end()) choice.context = *context;
  if (choice.context.is_array() || choice.context.is_boolean() || choice.context.is_number())
    Refuse(where, "context is neither a text nor an object");
  const Json& options = json.at("options");
  if (!options.is_array() || options.empty()) Refuse(where, "options is no list of texts");
  if (options.size() > kMostOptions)
    Refuse(where, Cat(options.size(), " options; at most ", kMostOptions, " can be compared"));
  for (const Json& option : options) {
    double gain = 0;
    choice.options.push_back(ReadOption(option, Cat(where, ": option ", choice.options.size() + 1), &gain));
    choice.gains.push_back(gain);
  }
  ReadGroupAndWeight(json, where, &choice);
  return choice;
}

Choices ParseChoices(std::string_view text, const std::string& name, const PairFields& fields) {
  Choices choices;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) continue;
    Choice choice = ParseChoice(line, Cat(name, ":", number), fields);
    choice.line = number;
    const auto [least, most] = std::minmax_element(choice.gains.begin(), choice.gains.end());
    if (choice.options.size() == 1) {
      ++choices.alone;
    } else if (*most == 0) {
      ++choices.nothing_taken;
    } else if (*least == *most) {
      ++choices.all_alike;
    } else {
      choices.list.push_back(std::move(choice));
    }
  }
  return choices;
}

void RefuseSharedGroups(const Choices& data, const Choices& held_out) {
  std::set<std::string_view> known;
  for (const Choice& choice : data.list) known.insert(choice.group);
  for (const Choice& choice : held_out.list) {
    if (!known.contains(choice.group)) continue;
    throw Error(Code::kInvalidInput,
                Cat("line ", choice.line, " of the validation choices is of the group ", Quote(choice.group),
                    ", which is learned from, too"),
                "a group belongs to one of them: else the figures would be of what was seen");
  }
}

Choices ReadChoices(const std::string& path, const PairFields& fields) {
  Choices choices = ParseChoices(ReadFile(path), path, fields);
  if (choices.list.empty()) {
    const std::string why =
        choices.left_out() == 0
            ? std::string("it is empty")
            : Cat("of ", choices.left_out(), " choices, in ", choices.nothing_taken, " nothing was taken, in ",
                  choices.all_alike, " everything was worth the same, in ", choices.alone, " there was one option");
    throw Error(Code::kInvalidInput, Cat(path, ": there is nothing to learn from: ", why),
                "docs/formats/choices.md says what a choice is");
  }
  return choices;
}

}  // namespace atelier::rank
