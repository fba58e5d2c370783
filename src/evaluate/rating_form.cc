#include "evaluate/rating_form.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

namespace atelier::evaluate {
namespace {

constexpr size_t kMostItems = 5000;
constexpr std::string_view kDataStart = "<script type=\"application/json\" id=\"form\">", kDataEnd = "</script>";

FormText ReadText(Table& table, std::string_view key) {
  FormText text;
  if (auto words = table.SubOr(key)) {
    text.zh = words->StringOr("zh", "");
    text.en = words->StringOr("en", "");
    words->Done();
  }
  return text;
}

FormCriterion ReadCriterion(Table& table) {
  FormCriterion criterion;
  criterion.name = table.String("name");
  if (Trim(criterion.name).empty()) table.Refuse("name", "is empty");
  if (table.Has("labels") == table.Has("scale"))
    table.Refuse("scale", "or labels: one of them says what can be chosen");
  if (table.Has("labels")) {
    criterion.answers = table.Strings("labels");
    for (const std::string& label : criterion.answers) {
      if (Trim(label) != label || label.empty()) table.Refuse("labels", Cat("holds ", Quote(label)), "plain words");
      if (std::count(criterion.answers.begin(), criterion.answers.end(), label) > 1)
        table.Refuse("labels", Cat("holds ", Quote(label), " twice"));
    }
  } else {
    const std::vector<double> scale = table.Doubles("scale");
    const bool whole = scale.size() == 2 && std::all_of(scale.begin(), scale.end(), [](double value) {
                         return std::floor(value) == value && std::abs(value) <= 1000;
                       });
    if (!whole || scale[0] >= scale[1] || scale[1] - scale[0] > 20)
      table.Refuse("scale", "is no scale", "two whole numbers, at most 20 apart: [1, 5]");
    for (double value = scale[0]; value <= scale[1]; ++value)
      criterion.answers.push_back(Cat(static_cast<int64_t>(value)));
  }
  if (criterion.answers.size() < 2 || criterion.answers.size() > 21) table.Refuse("labels", "are 2 to 21");
  criterion.label = ReadText(table, "label");
  criterion.description = ReadText(table, "description");
  criterion.low = ReadText(table, "low");
  criterion.high = ReadText(table, "high");
  table.Done();
  return criterion;
}

std::string HashOf(const Json& criteria, const Json& items) {
  Json what = {{"criteria", Json::array()}, {"items", Json::array()}};
  for (const Json& criterion : criteria)
    what["criteria"].push_back({{"name", criterion.at("name")}, {"answers", criterion.at("answers")}});
  for (const Json& item : items) what["items"].push_back({{"id", item.at("id")}, {"fields", item.at("fields")}});
  return Sha256Hex(ToText(what));
}

}  // namespace

FormRubric ReadFormRubric(Table rubric) {
  FormRubric out;
  out.title = ReadText(rubric, "title");
  out.intro = ReadText(rubric, "intro");
  out.show = rubric.Strings("show");
  out.lists = rubric.StringsOr("lists", {});
  out.id = rubric.StringOr("id", "");
  out.system = rubric.StringOr("system", "");
  if (out.show.empty()) rubric.Refuse("show", "is empty", "the fields that raters see");
  for (const std::string& field : out.show) {
    if (!out.system.empty() && field == out.system)
      rubric.Refuse("show", Cat("holds ", Quote(field), ", which is the system"), "it is shown unless --blind");
  }
  for (const std::string& field : out.lists) {
    if (std::find(out.show.begin(), out.show.end(), field) == out.show.end())
      rubric.Refuse("lists", Cat(Quote(field), " is not in show"));
  }
  if (auto names = rubric.SubOr("names")) {
    for (const std::string& field : names->Keys()) {
      if (std::find(out.show.begin(), out.show.end(), field) == out.show.end())
        names->Refuse(field, "is not in show", Cat("show has ", Join(out.show, ", ")));
      out.names.emplace_back(field, ReadText(*names, field));
    }
  }
  for (Table& table : rubric.Tables("criterion")) {
    out.criteria.push_back(ReadCriterion(table));
    for (size_t i = 0; i + 1 < out.criteria.size(); ++i) {
      if (out.criteria[i].name == out.criteria.back().name)
        table.Refuse("name", Cat("two criteria are named ", Quote(out.criteria[i].name)));
    }
  }
  if (out.criteria.empty()) rubric.Refuse("criterion", "a form has at least one [[criterion]]");
  if (out.criteria.size() > 50) rubric.Refuse("criterion", "more than 50");
  rubric.Done();
  return out;
}

Json FormData(const RatingForm& form, bool chinese) {
  Json criteria = Json::array(), items = Json::array();
  for (const FormCriterion& criterion : form.rubric.criteria) {
    criteria.push_back({{"name", criterion.name},
                        {"answers", criterion.answers},
                        {"label", criterion.label.In(chinese)},
                        {"description", criterion.description.In(chinese)},
                        {"low", criterion.low.In(chinese)},
                        {"high", criterion.high.In(chinese)}});
  }
  std::vector<const FormItem*> listed;
  for (const FormItem& item : form.items) listed.push_back(&item);
  if (form.blind) {  // the file's order may tell what made an item
    std::sort(listed.begin(), listed.end(), [](const FormItem* a, const FormItem* b) { return a->id < b->id; });
  }
  for (const FormItem* item : listed) {
    Json one = {{"id", item->id}, {"fields", item->fields}};
    if (!form.blind && !item->system.empty()) one["system"] = item->system;
    items.push_back(std::move(one));
  }
  Json names = Json::object();
  for (const auto& [field, name] : form.rubric.names) names[field] = name.In(chinese);
  return {{"hash", form.hash}, {"seed", Cat(form.seed)}, {"names", names}, {"criteria", criteria}, {"items", items}};
}

RatingForm MakeForm(FormRubric rubric, const std::vector<data::Record>& records, const std::string& file, bool blind,
                    uint64_t seed) {
  RatingForm form;
  form.rubric = std::move(rubric);
  form.blind = blind;
  // The page of a blind form says the order's seed, which must not tell the codes'.
  form.seed = blind ? std::stoull(Sha256Hex(Cat("order\n", seed)).substr(0, 15), nullptr, 16) : seed;
  if (records.empty()) throw Error(Code::kInvalidInput, Cat(file, ": holds no item"), "one record per item");
  if (records.size() > kMostItems) {
    throw Error(Code::kInvalidInput, Cat(file, ": ", records.size(), " items, a form takes ", kMostItems),
                "rate a sample of them");
  }
  std::map<std::string, size_t> lines, shown;
  for (const data::Record& record : records) {
    const auto where = [&] { return Cat(file, ":", record.line, ": "); };
    const auto text = [&](const std::string& field) -> std::string {
      const auto at = record.fields.find(field);
      if (at == record.fields.end() || !at->is_string())
        throw Error(Code::kInvalidInput, Cat(where(), "has no field ", Quote(field)), "the rubric names it");
      return at->get<std::string>();
    };
    FormItem item;
    item.source = form.rubric.id.empty() ? Cat(form.items.size() + 1) : text(form.rubric.id);
    if (Trim(item.source).empty()) throw Error(Code::kInvalidInput, Cat(where(), "the item's id is empty"));
    const auto [first, fresh] = lines.emplace(item.source, record.line);
    if (!fresh) {
      throw Error(Code::kInvalidInput,
                  Cat(where(), "the item ", Quote(item.source), " stands in line ", first->second, " already"));
    }
    item.id = blind ? Sha256Hex(Cat("item\n", seed, "\n", item.source)).substr(0, 16) : item.source;
    if (!form.rubric.system.empty()) item.system = text(form.rubric.system);
    item.fields = Json::object();
    for (const std::string& field : form.rubric.show) {
      const auto at = record.fields.find(field);
      if (at == record.fields.end()) continue;
      item.fields[field] = *at;
      ++shown[field];
    }
    form.items.push_back(std::move(item));
  }
  for (const std::string& field : form.rubric.show) {
    if (shown[field] > 0) continue;
    std::vector<std::string> names;
    for (const auto& [name, value] : records[0].fields.items()) names.push_back(name);
    const std::string near = Nearest(field, names);
    throw Error(
        Code::kInvalidInput, Cat(file, ": no item has the field ", Quote(field), " that the rubric shows"),
        near.empty() ? Cat("the first has ", Quote(Join(names, ", "), 200)) : Cat("did you mean '", near, "'?"));
  }
  // Through text once, so that broken bytes hash as the page will hold them.
  const Json data = ParseJson(ToText(FormData(form, false)), file);
  form.hash = HashOf(data["criteria"], data["items"]);
  return form;
}

FormKey ReadFormPage(std::string_view page, const std::string& file) {
  const auto wrong = [&](std::string_view why) {
    return Error(Code::kInvalidInput, Cat(file, ": ", why), "name a page that atelier evaluate form wrote");
  };
  size_t begin = page.find(kDataStart);
  if (begin == std::string_view::npos) throw wrong("is no rating form");
  begin += kDataStart.size();
  const size_t end = page.find(kDataEnd, begin);
  if (end == std::string_view::npos) throw wrong("is a rating form that ends too soon");
  const Json data = ParseJson(page.substr(begin, end - begin), file, 16);
  FormKey key;
  try {
    key.hash = data.at("hash").get<std::string>();
    for (const Json& criterion : data.at("criteria")) {
      key.criteria.push_back({criterion.at("name").get<std::string>(),
                              criterion.at("answers").get<std::vector<std::string>>(),
                              {},
                              {},
                              {},
                              {}});
    }
    for (const Json& item : data.at("items")) key.items.push_back(item.at("id").get<std::string>());
    if (HashOf(data.at("criteria"), data.at("items")) != key.hash) throw wrong("was changed since it was made");
  } catch (const nlohmann::json::exception&) {
    throw wrong("is a damaged rating form");
  }
  return key;
}

}  // namespace atelier::evaluate
